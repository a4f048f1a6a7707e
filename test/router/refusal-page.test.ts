import fc from 'fast-check';
import t from 'tap';
import { ProtocolStatus } from '../../src/fastcgi/constants.js';
import { AnswerFollower } from '../../src/fastcgi/follow.js';
import { refusalPage } from '../../src/router/refusal-page.js';
import { type RefusalReason, refusalKinds } from '../../src/router/refusals.js';

const reasons = Object.keys(refusalKinds) as RefusalReason[];

interface Page {
  readonly head: readonly string[];
  readonly body: string;
  readonly protocolStatus: number | undefined;
}

/** Reads the one STDOUT record, its end, and END_REQUEST. */
function read(answer: Buffer): Page {
  const length = answer.readUInt16BE(4);
  const [head = '', body = ''] = answer.toString('utf8', 8, 8 + length).split('\r\n\r\n');
  return { head: head.split('\r\n'), body, protocolStatus: answer.at(-4) };
}

t.test('every refusal is an ordinary page', (t) => {
  for (const reason of reasons) {
    const { status, retryAfter } = { retryAfter: undefined, ...refusalKinds[reason] };
    const { head, body, protocolStatus } = read(refusalPage(7, reason, 'c0ffee'));
    t.match(head[0], new RegExp(`^Status: ${status} [A-Z]`), reason);
    t.match(body, `Reference: c0ffee`);
    t.ok(head.includes(`Content-Length: ${Buffer.byteLength(body)}`));
    t.ok(head.includes('Cache-Control: no-store'), 'no cache remembers it');
    t.equal(
      head.find((line) => line.startsWith('Retry-After')),
      retryAfter === undefined ? undefined : `Retry-After: ${retryAfter}`,
    );
    t.notMatch(body, reason, 'the reason is for the log');
    t.equal(protocolStatus, ProtocolStatus.REQUEST_COMPLETE, 'Apache makes an empty page of anything else');
  }
  t.end();
});

t.test('its framing is right, for any request', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffff }), fc.constantFrom(...reasons), (id, reason) => {
      const answer = refusalPage(id, reason, 'abcdef123456');
      const follower = new AnswerFollower(id);
      const { forward, state } = follower.push(answer, 0, answer.length);
      return state === 'ended' && forward === answer.length && answer.length % 8 === 0;
    }),
  );
  t.end();
});

t.test('the protocol status of a role that nobody plays', (t) => {
  const answer = refusalPage(1, 'unknown-role', 'x', ProtocolStatus.UNKNOWN_ROLE);
  t.equal(read(answer).protocolStatus, ProtocolStatus.UNKNOWN_ROLE);
  t.end();
});

t.test('what a refusal says', (t) => {
  t.same(
    reasons.filter((reason) => refusalKinds[reason].status < 400),
    [],
  );
  const tryAgain = reasons.filter((reason) => 'retryAfter' in refusalKinds[reason]);
  for (const reason of tryAgain) t.ok([503, 507].includes(refusalKinds[reason].status), reason);
  t.same(
    reasons.filter((reason) => refusalKinds[reason].status === 503 && !tryAgain.includes(reason)),
    ['script-no-root'],
  );
  t.end();
});
