/** A hostile worker gets nothing through but an answer to its own request, and never a byte behind it. */
import fc from 'fast-check';
import t from 'tap';
import { encodeEndRequest, encodeRecord } from '../../src/fastcgi/encode.js';
import { AnswerFollower } from '../../src/fastcgi/follow.js';
import { content, cuts, hostileBytes, pieces } from './pieces.js';
import { fuzzSettings } from './settings.js';

function follow(bytes: Buffer, sizes: readonly number[]): { passed: Buffer; state: string } {
  const follower = new AnswerFollower(1);
  const passed: Buffer[] = [];
  for (const chunk of pieces(bytes, sizes)) {
    const { forward } = follower.push(chunk, 0, chunk.length);
    passed.push(chunk.subarray(0, forward));
    if (follower.state === 'open' && forward !== chunk.length) throw new Error('bytes were held back');
  }
  return { passed: Buffer.concat(passed), state: follower.state };
}

/** Reads what passed as a web server does, with a parser of its own. False: it would be misled. */
function isAnswer(passed: Buffer, ended: boolean): boolean {
  let at = 0;
  let pageEnded = false;
  while (passed.length - at >= 8) {
    const type = passed[at + 1];
    const length = passed.readUInt16BE(at + 4);
    if (passed[at] !== 1 || passed.readUInt16BE(at + 2) !== 1) return false;
    if (type === 3) {
      const next = at + 16 + (passed[at + 6] ?? 0);
      if (length !== 8 || (passed.length > at + 12 && passed[at + 12] !== 0)) return false;
      return ended ? next === passed.length : next >= passed.length;
    }
    if (type !== 6 && type !== 7) return false;
    if (type === 6 && pageEnded) return false;
    if (type === 6 && length === 0) pageEnded = true;
    at += 8 + length + (passed[at + 6] ?? 0);
  }
  return !ended;
}

const answerPart = fc.oneof(
  fc.tuple(fc.constantFrom(6, 7), content).map(([type, body]) => encodeRecord(type, 1, body)),
  fc.constant(encodeEndRequest(1)),
  hostileBytes,
);
const worker = fc.array(answerPart, { maxLength: 12 }).map((parts) => Buffer.concat(parts));

t.test('what passes is the beginning of what was written, and an answer', async (t) => {
  const property = fc.property(worker, cuts, (bytes, sizes) => {
    const { passed, state } = follow(bytes, sizes);
    return passed.equals(bytes.subarray(0, passed.length)) && isAnswer(passed, state === 'ended');
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});

t.test('as much passes wherever it is cut', async (t) => {
  const property = fc.property(worker, cuts, (bytes, sizes) => {
    const whole = follow(bytes, [bytes.length || 1]);
    const cut = follow(bytes, sizes);
    return cut.passed.equals(whole.passed) && cut.state === whole.state;
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
});
