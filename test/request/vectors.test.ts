/** Every exchange of test/vectors, in one piece, byte by byte, and cut at odd places. */
import t from 'tap';
import type { Head } from '../../src/request/head.js';
import { defaultReadLimits } from '../../src/request/limits.js';
import { RequestReader } from '../../src/request/reader.js';
import type { ReadResult } from '../../src/request/result.js';
import { allVectors, attributes, type Vector } from '../vectors/vector.js';

const aspects: Readonly<Record<string, (head: Head) => string | number | undefined>> = {
  method: (head) => head.method,
  uri: (head) => head.uri,
  site: (head) => head.site,
  name: (head) => head.serverName,
  key: (head) => head.key?.toString(),
  script: (head) => head.scriptFilename,
  user: (head) => head.remoteUser,
  length: (head) => head.contentLength,
  keep: (head) => (head.keep ? 'yes' : 'no'),
};

/** Tells a result in the words of the exchange; of a head, what the exchange asks for. */
function tell(result: ReadResult, asked: string): string {
  switch (result.kind) {
    case 'head': {
      const keys = [...attributes(asked.split(' ')).keys()];
      return ['head', ...keys.map((key) => `${key}=${String(aspects[key]?.(result.head) ?? 'none')}`)].join(
        ' ',
      );
    }
    case 'complete':
      return `complete body=${result.request.body.length}`;
    case 'refuse': {
      const { status, reason, requestId, keep, protocolStatus } = result;
      return `refuse ${status} ${reason} id=${requestId} keep=${keep ? 'yes' : 'no'} protocol=${protocolStatus}`;
    }
    case 'aborted':
      return `aborted keep=${result.keep ? 'yes' : 'no'}`;
    case 'broken':
      return `broken ${result.breach}`;
    default:
      return result.kind;
  }
}

function read(vector: Vector, size: number): { told: string[]; replies: Buffer } {
  const limits = { ...defaultReadLimits, memoryBodyBytes: 1024 * 1024, ...vector.limits };
  const reader = new RequestReader({ limits, spoolDirectory: '/nonexistent', maxConnections: 500 });
  const told: string[] = [];
  const replies: Buffer[] = [];
  for (let from = 0; from < vector.bytes.length; from += size) {
    // A receive buffer is used again: what the reader keeps must be a copy.
    const chunk = Buffer.from(vector.bytes.subarray(from, from + size));
    let at = 0;
    let result: ReadResult;
    do {
      result = reader.push(chunk, at, chunk.length);
      at = reader.position;
      replies.push(reader.takeReplies() ?? Buffer.alloc(0));
      if (result.kind !== 'more') told.push(tell(result, vector.expected[told.length] ?? ''));
      if (result.kind === 'complete' || result.kind === 'aborted' || result.kind === 'drained')
        reader.reset();
    } while (result.kind !== 'more' && result.kind !== 'broken');
    if (result.kind === 'broken') break;
    chunk.fill(0xee);
  }
  return { told, replies: Buffer.concat(replies) };
}

for (const vector of allVectors()) {
  t.test(vector.name, async (t) => {
    t.not(vector.expected.length, 0);
    for (const size of [Number.MAX_SAFE_INTEGER, 1, 7, 4096]) {
      const { told, replies } = read(vector, size);
      t.same(told, vector.expected, `in pieces of ${size}`);
      t.equal(replies.toString('hex'), vector.replies.toString('hex'), `replies, in pieces of ${size}`);
    }
  });
}
