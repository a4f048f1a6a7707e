import fc from 'fast-check';
import t from 'tap';
import {
  jobBodyFile,
  jobHeaderBytes,
  jobKeep,
  jobMaxBytes,
  noteBytes,
  noteRefused,
  noteStarted,
  readNote,
  writeJobHeader,
} from '../../src/control/worker-messages.js';
import { defaultReadLimits } from '../../src/request/limits.js';
import { noteOf } from '../router/fake-worker.js';

const number = fc.nat(0xffff_ffff);

t.test('a job says what it says', (t) => {
  const job = fc.record({
    sequence: number,
    requestId: fc.nat(0xffff),
    flags: fc.constantFrom(0, jobKeep, jobBodyFile, jobKeep | jobBodyFile),
    paramsLength: number,
    bodyLength: fc.oneof(fc.nat(), fc.maxSafeNat()),
  });
  const out = Buffer.alloc(jobHeaderBytes, 0xff);
  fc.assert(
    fc.property(job, (written) => {
      writeJobHeader(out, written);
      const { sequence, requestId, flags, paramsLength, bodyLength } = written;
      return (
        out.toString('latin1', 0, 4) === 'GJOB' &&
        out.readUInt32LE(4) === sequence &&
        out.readUInt16LE(8) === requestId &&
        out.readUInt16LE(10) === flags &&
        out.readUInt32LE(12) === paramsLength &&
        out.readBigUInt64LE(16) === BigInt(bodyLength)
      );
    }),
  );
  t.end();
});

t.test('whatever a request may be, its job fits', (t) => {
  const { maxParamsBytes, memoryBodyBytes } = defaultReadLimits;
  t.ok(jobHeaderBytes + maxParamsBytes + memoryBodyBytes <= jobMaxBytes);
  t.end();
});

t.test('a note says what it says', (t) => {
  t.match(
    readNote(noteOf({ type: 2, sequence: 7, flags: 3, status: 404, bytesOut: 5, found: 9 }), noteBytes),
    {
      type: 2,
      sequence: 7,
      flags: 3,
      status: 404,
      bytesOut: 5,
      found: 9,
      userUs: 0,
    },
  );
  const large = noteOf({ type: 2, sequence: 7 });
  for (const at of [16, 24, 32, 40]) large.writeBigUInt64LE(BigInt(at) << 40n, at);
  t.match(readNote(large, noteBytes), {
    bytesOut: 16 * 2 ** 40,
    userUs: 24 * 2 ** 40,
    systemUs: 32 * 2 ** 40,
    maxRssKb: 40 * 2 ** 40,
  });
  t.end();
});

t.test('any bytes are a note of a known type, or none', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 100, maxLength: 100 }),
      fc.nat(100),
      fc.nat(5),
      (bytes, length, type) => {
        const buffer = Buffer.from(bytes);
        if (type < 5) buffer.writeUInt32LE(type, 0);
        const note = readNote(buffer, length);
        const known = buffer.readUInt32LE(0);
        if (length !== noteBytes || known < noteStarted || known > noteRefused) return note === undefined;
        return (
          note !== undefined && Object.values(note).every((value) => Number.isInteger(value) && value >= 0)
        );
      },
    ),
    { numRuns: 5000 },
  );
  t.end();
});
