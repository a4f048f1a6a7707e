import t from 'tap';
import { encodePairs, encodeUnknownType, encodeValuesResult } from '../../src/fastcgi/encode.js';
import { Management } from '../../src/request/management.js';

function ask(management: Management, question: Buffer): void {
  management.openQuestion(question.length);
  for (let at = 0; at < question.length; at += 3)
    management.addQuestion(question, at, Math.min(at + 3, question.length));
}

t.test('values, in the order in which they were asked', async (t) => {
  const management = new Management(16, 500);
  t.equal(management.take(), undefined);
  ask(
    management,
    encodePairs([
      ['FCGI_MPXS_CONNS', ''],
      ['FCGI_MAX_CONNS', ''],
      ['X', ''],
      ['FCGI_MAX_REQS', ''],
    ]),
  );
  t.equal(management.answerQuestion(), undefined);
  const expected = encodeValuesResult([
    ['FCGI_MPXS_CONNS', '0'],
    ['FCGI_MAX_CONNS', '500'],
    ['FCGI_MAX_REQS', '500'],
  ]);
  t.same(management.take(), expected);
  t.equal(management.take(), undefined, 'taken is taken');
});

t.test('a name that is asked fifty times is answered once', async (t) => {
  const management = new Management(16, 1);
  ask(management, encodePairs(Array.from({ length: 50 }, () => ['FCGI_MAX_CONNS', ''] as const)));
  management.answerQuestion();
  t.same(management.take(), encodeValuesResult([['FCGI_MAX_CONNS', '1']]));
});

t.test('no question and a malformed one get the values that could be read', async (t) => {
  const management = new Management(16, 1);
  ask(management, Buffer.alloc(0));
  management.answerQuestion();
  t.same(management.take(), encodeValuesResult([]));
  ask(management, Buffer.concat([encodePairs([['FCGI_MAX_REQS', '']]), Buffer.of(200)]));
  management.answerQuestion();
  t.same(management.take(), encodeValuesResult([['FCGI_MAX_REQS', '1']]));
});

t.test('a question has a limit', async (t) => {
  const management = new Management(16, 1);
  t.equal(management.openQuestion(1024), true);
  t.equal(management.openQuestion(1025), false);
});

t.test('a second request gets a page, then CANT_MPX_CONN', async (t) => {
  const management = new Management(16, 1);
  management.refuseSecond(0x0203);
  const reply = management.take() ?? Buffer.alloc(0);
  t.same(reply.subarray(0, 4), Buffer.of(1, 6, 2, 3));
  t.match(reply.toString('latin1'), 'Status: 503 Service Unavailable\r\n');
  t.same(reply.subarray(-16), Buffer.of(1, 3, 2, 3, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0));
});

t.test('replies are counted until a new request, and kept together', async (t) => {
  const management = new Management(2, 1);
  t.equal(management.unknownType(99), undefined);
  t.equal(management.unknownType(100), undefined);
  t.equal(management.unknownType(101), 'flood');
  t.equal(management.refuseSecond(2), 'flood');
  management.openQuestion(0);
  t.equal(management.answerQuestion(), 'flood');
  t.same(management.take(), Buffer.concat([encodeUnknownType(99), encodeUnknownType(100)]));
  t.equal(management.unknownType(101), 'flood', 'sending them does not forgive them');
  management.renew();
  t.equal(management.unknownType(101), undefined);
});
