import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { figureCount, noFigures } from '../../src/account/figures.js';
import { figuresBytes, readFigures, writeFigures } from '../../src/control/figure-messages.js';
import * as messages from '../../src/control/router-messages.js';
import { siteSchema } from '../../src/site/schema.js';
import { siteConfig } from '../router/rig.js';

const {
  autoDemandBytes,
  orderHeaderBytes,
  orderMaxBytes,
  readAutoDemand,
  readOrder,
  readPayload,
  readRequest,
  requestBytes,
  toMaster,
  writeAutoDemand,
  writeOrder,
  writeRequest,
} = messages;

const number = fc.nat(0xffff_ffff);

t.test('orders there and back, whatever their row holds', (t) => {
  const order = fc.record({ type: number, site: number, worker: number, a: number, b: number, c: number });
  const payload = fc.option(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())), {
    nil: undefined,
  });
  const buffer = Buffer.alloc(orderMaxBytes, 0xff);
  fc.assert(
    fc.property(order, payload, (written, row) => {
      const length = writeOrder(buffer, written, row);
      t.same(readOrder(buffer), written);
      if (row === undefined) return length === orderHeaderBytes;
      t.same(readPayload(buffer, length), row);
      return true;
    }),
  );
  t.end();
});

t.test('half a row is never sent', (t) => {
  const order = { type: 2, site: 1, worker: 0, a: 0, b: 0 };
  const out = Buffer.alloc(100);
  t.equal(writeOrder(out, order, 'x'.repeat(74)), 100);
  t.throws(() => writeOrder(out, order, 'x'.repeat(75)), RangeError);
  t.throws(() => writeOrder(out, order, 'ä'.repeat(38)), RangeError, 'bytes count, not characters');
  t.end();
});

t.test('the largest row that a site can have fits into a message', (t) => {
  const name = 'a'.repeat(100);
  const awkward = '"'.repeat(95);
  const visitors = Object.fromEntries(
    Array.from({ length: 250 }, (_, i) => [`${awkward}${String(i).padStart(3, '0')}`, 'u'.repeat(32)]),
  );
  const aliases = Array.from({ length: 1000 }, (_, i) => `${'b'.repeat(96)}${String(i).padStart(4, '0')}`);
  const written = { name, root: '/srv', user: 'u', aliases, visitors };
  t.ok(siteSchema.safeParse(written).success, 'that much is allowed');
  const more = { ...visitors, [awkward]: 'u' };
  t.notOk(siteSchema.safeParse({ ...written, visitors: more }).success, 'one more is not');
  const long = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${'n'.repeat(250)}${i}`, 'u']));
  t.notOk(siteSchema.safeParse({ ...written, visitors: long }).success, 'nor longer ones');
  const row: messages.RouterSite = {
    ...siteConfig,
    name,
    aliases,
    keyHashes: Array.from({ length: 11 }, () => 'f'.repeat(64)),
    visitors: Object.fromEntries(Object.entries(visitors).map(([key, user]) => [key, `${name}+${user}`])),
  };
  const length = writeOrder(
    Buffer.alloc(orderMaxBytes),
    { type: 2, site: 0xffff_ffff, worker: 0, a: 0, b: 0 },
    row,
  );
  t.ok(length > orderMaxBytes / 2, `${length} bytes`);
  const kernelBytes = Number(readFileSync('/proc/sys/net/core/wmem_default', 'utf8'));
  t.ok(orderMaxBytes < kernelBytes - 1024, 'and the kernel takes it');
  t.end();
});

const { siteFigures, ...requests } = toMaster;

t.test('requests there and back', (t) => {
  const type = fc.constantFrom(...Object.values(requests));
  const out = Buffer.alloc(requestBytes, 0xff);
  fc.assert(
    fc.property(type, number, number, number, (type, site, worker, count) => {
      writeRequest(out, type, site, worker, count);
      t.same(readRequest(out, requestBytes), { type, site, worker, count });
      return true;
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('figures there and back', (t) => {
  const numbers = fc.array(fc.maxSafeNat(), { minLength: figureCount, maxLength: figureCount });
  const out = Buffer.alloc(figuresBytes, 0xff);
  fc.assert(
    fc.property(number, fc.boolean(), numbers, (site, isLast, values) => {
      const message = { site, isLast, figures: Float64Array.from(values) };
      writeFigures(out, message);
      t.same(readFigures(out, figuresBytes), message);
      return true;
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test('a router that has been taken over says numbers, or nothing', (t) => {
  const types = new Set<number>(Object.values(requests));
  const bytes = fc.uint8Array({ minLength: figuresBytes, maxLength: figuresBytes + 100 });
  const length = fc.oneof(
    fc.nat(figuresBytes + 100),
    fc.constantFrom(requestBytes, figuresBytes, autoDemandBytes),
  );
  const first = fc.oneof(fc.nat(8), number);
  fc.assert(
    fc.property(bytes, length, first, (content, length, type) => {
      const buffer = Buffer.from(content);
      buffer.writeUInt32LE(type, 0);
      t.equal(readRequest(buffer, length) !== undefined, length === requestBytes && types.has(type));
      const message = readFigures(buffer, length);
      t.equal(message !== undefined, length === figuresBytes && type === siteFigures);
      return message?.figures.every((value) => Number.isSafeInteger(value) && value >= 0) ?? true;
    }),
    { numRuns: 2000 },
  );
  for (const value of [-1, 0.5, Number.NaN, Infinity, -Infinity, 2 ** 60]) {
    const out = Buffer.alloc(figuresBytes);
    writeFigures(out, { site: 1, isLast: false, figures: noFigures() });
    out.writeDoubleLE(value, 16);
    t.equal(readFigures(out, figuresBytes)?.figures[0], 0, String(value));
  }
  t.equal(new Set([requestBytes, figuresBytes, autoDemandBytes]).size, 3, 'messages are told apart by size');
  t.end();
});

t.test('a demand for a directory, there and back', (t) => {
  const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/);
  const out = Buffer.alloc(autoDemandBytes, 0xff);
  fc.assert(
    fc.property(number, number, number, name, (site, pattern, count, directory) => {
      writeAutoDemand(out, { site, pattern, count, needed: 2, name: directory });
      t.same(readAutoDemand(out, autoDemandBytes), { site, pattern, count, needed: 2, name: directory });
      return true;
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('whatever a demand holds, its name is no more than there is room for', (t) => {
  // What lay in the buffer before, and lies behind the message now, is no part of it.
  const bytes = fc.uint8Array({ minLength: 160, maxLength: 160 });
  fc.assert(
    fc.property(bytes, fc.nat(160), fc.boolean(), (content, length, isFull) => {
      const buffer = Buffer.from(content);
      if (isFull) buffer.fill('x', 16, 160);
      const demand = readAutoDemand(buffer, length);
      if (length !== autoDemandBytes) return demand === undefined;
      const name = demand?.name ?? '';
      return name.length <= autoDemandBytes - 16 && !name.includes('\0');
    }),
    { numRuns: 2000 },
  );
  t.end();
});
