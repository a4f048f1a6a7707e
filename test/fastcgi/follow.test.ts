import t, { type Test } from 'tap';
import { ProtocolStatus, RecordType } from '../../src/fastcgi/constants.js';
import {
  encodeAnswer,
  encodeEndRequest,
  encodeRecord,
  encodeStream,
  encodeUnknownType,
} from '../../src/fastcgi/encode.js';
import { AnswerFollower, type AnswerState } from '../../src/fastcgi/follow.js';

interface Passed {
  readonly bytes: Buffer;
  readonly state: AnswerState;
  readonly follower: AnswerFollower;
}

function follow(answer: Buffer, size: number, id = 1): Passed {
  const follower = new AnswerFollower(id);
  const passed: Buffer[] = [];
  for (let from = 0; from < answer.length; from += size) {
    const chunk = answer.subarray(from, from + size);
    const { forward } = follower.push(chunk, 0, chunk.length);
    passed.push(chunk.subarray(0, forward));
  }
  return { bytes: Buffer.concat(passed), state: follower.state, follower };
}

const { STDOUT, STDERR, STDIN, PARAMS } = RecordType;
const page = encodeRecord(STDOUT, 1, Buffer.from('Status: 200\r\n\r\nhello'));
const complaint = encodeRecord(STDERR, 1, Buffer.from('PHP Notice'));
const endOfPage = encodeRecord(STDOUT, 1);
const endOfComplaints = encodeRecord(STDERR, 1);
const end = encodeEndRequest(1);
const sizes = [1, 3, 8, 11, 10_000];

/** How much of it passes is the same wherever it is cut. */
function expectPassed(t: Test, answer: Buffer, length: number, state: AnswerState): void {
  for (const size of sizes) {
    const passed = follow(answer, size);
    t.equal(passed.state, state, `state, in pieces of ${size}`);
    t.same(passed.bytes, answer.subarray(0, length), `bytes, in pieces of ${size}`);
    t.equal(passed.follower.forwarded, length);
  }
}

t.test('an answer passes whole, and ends with its END_REQUEST', async (t) => {
  const answer = Buffer.concat([page, complaint, page, endOfPage, endOfComplaints, end]);
  expectPassed(t, answer, answer.length, 'ended');
  const { follower } = follow(answer, 5);
  t.equal(follower.stdoutBytes, 40);
  t.equal(follower.stderrBytes, 10);
});

t.test('an answer need not end its streams, and may be large', async (t) => {
  expectPassed(t, Buffer.concat([page, end]), page.length + end.length, 'ended');
  const large = Buffer.concat([encodeStream(STDOUT, 1, Buffer.alloc(200_000, 'x')), end]);
  const passed = follow(large, 65_536);
  t.equal(passed.state, 'ended');
  t.equal(passed.follower.stdoutBytes, 200_000);
  t.same(passed.bytes, large);
});

t.test('our own answers pass', async (t) => {
  const answer = encodeAnswer(1, Buffer.from('Status: 502\r\n\r\n'));
  expectPassed(t, answer, answer.length, 'ended');
});

t.test('an unfinished answer is open', async (t) => {
  expectPassed(t, page, page.length, 'open');
  expectPassed(t, page.subarray(0, 12), 12, 'open');
  t.equal(new AnswerFollower(1).forwarded, 0);
});

t.test('nothing passes behind END_REQUEST', async (t) => {
  const forged = encodeAnswer(1, Buffer.from('Status: 200\r\n\r\nforged'));
  expectPassed(t, Buffer.concat([page, end, forged]), page.length + end.length, 'ended');
});

t.test('END_REQUEST ends behind its padding', async (t) => {
  const padded = Buffer.from('0103000100080300000000000000000000000000', 'hex').subarray(0, 19);
  expectPassed(t, padded, 19, 'ended');
});

t.test('STDOUT after its end would be a page after the end of the page', async (t) => {
  const before = Buffer.concat([page, endOfPage]);
  // The version byte is innocent; the type is not.
  expectPassed(t, Buffer.concat([before, page]), before.length + 1, 'broken');
  expectPassed(t, Buffer.concat([before, endOfPage]), before.length + 1, 'broken');
  const early = Buffer.concat([endOfPage, complaint, end]);
  expectPassed(t, early, early.length, 'ended');
});

t.test('STDERR after its end', async (t) => {
  expectPassed(t, Buffer.concat([endOfComplaints, complaint]), 9, 'broken');
});

t.test('records of another request, or of the connection', async (t) => {
  const other = encodeRecord(STDOUT, 2, Buffer.from('forged'));
  expectPassed(t, Buffer.concat([page, other]), page.length + 3, 'broken');
  expectPassed(t, Buffer.concat([page, encodeEndRequest(0x0101)]), page.length + 2, 'broken');
  expectPassed(t, encodeUnknownType(5), 1, 'broken');
  t.equal(follow(encodeRecord(STDOUT, 0x0201, Buffer.from('x')), 1, 0x0201).state, 'open');
});

t.test('types that no application sends', async (t) => {
  for (const type of [STDIN, PARAMS, RecordType.BEGIN_REQUEST, RecordType.DATA, 0, 99]) {
    expectPassed(t, encodeRecord(type, 1, Buffer.from('x')), 1, 'broken');
  }
});

t.test('another version', async (t) => {
  expectPassed(t, Buffer.from('Status: 200'), 0, 'broken');
});

t.test('END_REQUEST of another length', async (t) => {
  expectPassed(t, encodeRecord(RecordType.END_REQUEST, 1), 5, 'broken');
  expectPassed(t, encodeRecord(RecordType.END_REQUEST, 1, Buffer.alloc(9)), 5, 'broken');
  expectPassed(t, encodeRecord(RecordType.END_REQUEST, 1, Buffer.alloc(264)), 4, 'broken');
});

t.test('a protocol status that would speak for the connection', async (t) => {
  for (const status of [
    ProtocolStatus.OVERLOADED,
    ProtocolStatus.CANT_MPX_CONN,
    ProtocolStatus.UNKNOWN_ROLE,
  ]) {
    expectPassed(t, encodeEndRequest(1, 0, status), 12, 'broken');
  }
  const failed = encodeEndRequest(1, 255);
  expectPassed(t, failed, failed.length, 'ended');
});

t.test('a broken answer stays broken', async (t) => {
  const follower = new AnswerFollower(1);
  follower.push(Buffer.of(9), 0, 1);
  t.same(follower.push(page, 0, page.length), { forward: 0, state: 'broken' });
});

t.test('a part of a buffer', async (t) => {
  const chunk = Buffer.concat([Buffer.from('..'), page, end]);
  const follower = new AnswerFollower(1);
  t.same(follower.push(chunk, 2, chunk.length), { forward: chunk.length - 2, state: 'ended' });
});

t.test('END_REQUEST can be told from output while it comes, so that it can be held back', async (t) => {
  const answer = Buffer.concat([page, complaint, end]);
  for (const size of sizes) {
    const follower = new AnswerFollower(1);
    let passed = 0;
    for (let from = 0; from < answer.length; from += size) {
      const chunk = answer.subarray(from, from + size);
      passed += follower.push(chunk, 0, chunk.length).forward;
      const settled = passed - follower.unsettled;
      t.ok(settled <= page.length + complaint.length, `no byte of it is settled, in pieces of ${size}`);
      t.ok(follower.state === 'ended' || follower.unsettled < 16, 'and hardly any of the others waits');
    }
    t.equal(follower.unsettled, end.length);
  }
});
