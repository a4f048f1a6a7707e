import fc from 'fast-check';
import t from 'tap';
import {
  decodeStatus,
  orderBytes,
  readReport,
  reportBytes,
  reportReady,
  reportWaiting,
  writeForkOrder,
} from '../../src/control/template-messages.js';

const number = fc.nat(0xffff_ffff);

t.test('an order says what it says', (t) => {
  const out = Buffer.alloc(orderBytes, 0xff);
  fc.assert(
    fc.property(number, fc.boolean(), fc.boolean(), number, (worker, oneJob, isDirect, slot) => {
      writeForkOrder(out, { worker, oneJob, isDirect, slot });
      const words = [0, 4, 8, 12].map((at) => out.readUInt32LE(at));
      t.same(words, [1, worker, (oneJob ? 1 : 0) + (isDirect ? 2 : 0), slot]);
      return true;
    }),
  );
  t.end();
});

t.test('a report says what it says', (t) => {
  const bytes = Buffer.alloc(reportBytes);
  bytes.writeUInt32LE(3, 0);
  bytes.writeUInt32LE(7, 4);
  bytes.writeInt32LE(4711, 8);
  bytes.writeInt32LE(-1, 12);
  for (const [at, value] of [
    [16, 100n],
    [24, 200n],
    [32, 300n],
  ] as const) {
    bytes.writeBigUInt64LE(value, at);
  }
  t.same(readReport(bytes, reportBytes), {
    type: 3,
    worker: 7,
    status: -1,
    userUs: 100,
    systemUs: 200,
    maxRssKb: 300,
  });
  t.notMatch(
    JSON.stringify(readReport(bytes, reportBytes)),
    '4711',
    'the pid that it claims is not even read',
  );
  t.end();
});

t.test('any bytes are a report of a known type, or none', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 80, maxLength: 80 }),
      fc.nat(80),
      fc.nat(7),
      (bytes, length, type) => {
        const buffer = Buffer.from(bytes);
        if (type < 7) buffer.writeUInt32LE(type, 0);
        const report = readReport(buffer, length);
        const known = buffer.readUInt32LE(0);
        if (length !== reportBytes || known < reportReady || known > reportWaiting)
          return report === undefined;
        return report !== undefined && Object.values(report).every((value) => Number.isInteger(value));
      },
    ),
    { numRuns: 5000 },
  );
  t.end();
});

t.test('how a process ended', (t) => {
  t.same(decodeStatus(0), { exitCode: 0, signal: null });
  t.same(decodeStatus(255 << 8), { exitCode: 255, signal: null });
  t.same(decodeStatus(9), { exitCode: null, signal: 9 });
  t.same(decodeStatus(11 | 0x80), { exitCode: null, signal: 11 }, 'with a core file');
  fc.assert(
    fc.property(fc.integer(), (status) => {
      const { exitCode, signal } = decodeStatus(status);
      return (exitCode === null) !== (signal === null) && (exitCode ?? 0) <= 255 && (signal ?? 0) <= 127;
    }),
  );
  t.end();
});
