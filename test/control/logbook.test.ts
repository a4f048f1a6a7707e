/** A logbook as the router reads it, by an honest worker and by one that writes anything. */

import fc from 'fast-check';
import t from 'tap';
import { directMemoryBytes, Logbook, logbookBytes, logbookSums } from '../../src/control/logbook.js';
import { fuzzSettings } from '../fuzz/settings.js';
import { encode, FakeLogbook } from '../router/fake-logbook.js';

t.test('entries are taken once, in their order, also around the end of the ring', (t) => {
  const worker = new FakeLogbook(3, 1);
  const book = new Logbook(worker.memory, 3, 1);
  const seen: string[] = [];
  for (let round = 0; round < 200; round++) {
    for (let n = 0; n < 7; n++) worker.serve({ uri: `/${round}/${n}?${'x'.repeat((round * 7 + n) % 300)}` });
    seen.push(...book.take(100).map(({ uri }) => uri.replace(/\?.*/, '')));
  }
  t.same(
    seen,
    Array.from({ length: 1400 }, (_, i) => `/${Math.floor(i / 7)}/${i % 7}`),
  );
  t.equal(new Logbook(worker.memory, 3, 0).take(100).length, 0, "nobody else's");
  t.same(new Logbook(worker.memory, 3, 1).take(100), [], 'nor by the next router');
  t.end();
});

t.test('a ring that is full: what is missing is counted', (t) => {
  const worker = new FakeLogbook(1);
  const book = new Logbook(worker.memory, 1, 0);
  for (let n = 0; n < 1000; n++) worker.serve({ uri: `/${n}` });
  const entries = book.take(10_000);
  t.equal(entries.length + (book.grown()?.leftOut ?? 0), 1000);
  t.ok(entries.length > 300, `${entries.length} fit`);
  t.end();
});

t.test('sums are what has been added since', (t) => {
  const worker = new FakeLogbook(1);
  const book = new Logbook(worker.memory, 1, 0);
  t.equal(book.grown(), undefined);
  worker.serve({ bytesIn: 7, startedUs: 1000, endedUs: 3500 });
  worker.serve({ reason: 100, bytesIn: 5, startedUs: 1000, endedUs: 1500 });
  worker.sum('maxRssKb', 30_000);
  t.match(book.grown(), { requests: 2, refused: 1, bytesIn: 12, runUs: 3000, maxRssKb: 30_000, leftOut: 0 });
  t.equal(book.grown(), undefined);
  worker.serve();
  t.match(new Logbook(worker.memory, 1, 0).grown(), { requests: 1 }, 'the next router goes on there');
  t.end();
});

t.test('what runs at present', (t) => {
  const worker = new FakeLogbook(1);
  const book = new Logbook(worker.memory, 1, 0);
  t.equal(book.present(), undefined);
  worker.begin({ uri: '/now' });
  t.match(book.present(), { uri: '/now', sequence: 1 });
  worker.end();
  t.equal(book.present(), undefined);
  worker.begin({ uri: '/lost' });
  book.settle();
  t.equal(book.present(), undefined, 'its worker is dead');
  worker.begin();
  worker.bytes.writeUInt32LE(77, 260);
  t.equal(book.present(), undefined, "another request's text");
  t.end();
});

t.test('sums that go back, or jump', (t) => {
  const worker = new FakeLogbook(1);
  const book = new Logbook(worker.memory, 1, 0);
  worker.sum('requests', 1000);
  book.grown();
  worker.bytes.writeBigUInt64LE(3n, 0);
  t.equal(book.grown(), undefined);
  worker.bytes.fill(0xff, 0, 64);
  const grown = book.grown();
  for (const name of logbookSums) t.ok((grown?.[name] ?? 0) <= 2 ** 40, name);
  worker.serve();
  worker.bytes.fill(0, 136, 200);
  t.ok((book.grown()?.requests ?? 0) <= 1, 'what the router has counted it knows by itself');
  t.end();
});

t.test('an honest worker goes on wherever one before it has left off', (t) => {
  for (const written of [2_764_797n, 61_439n, 2n ** 64n - 1n, 2n ** 64n - 8n]) {
    const worker = new FakeLogbook(1);
    const book = new Logbook(worker.memory, 1, 0);
    worker.bytes.writeBigUInt64LE(written, 64);
    book.take(256);
    worker.serve({ uri: '/honest' });
    worker.serve({ uri: '/next' });
    const uris = book.take(256).map(({ uri }) => uri);
    t.same(uris, ['/honest', '/next'], `${written}`);
  }
  t.end();
});

t.test('anything at all: nothing outside, nothing endless, and honest entries after it', (t) => {
  const piece = fc.record({
    at: fc.oneof(
      fc.constantFrom(0, 64, 72, 76, 128, 136, 256, 260, 336, 4096, 4100, 4176),
      fc.nat(logbookBytes - 1),
    ),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  });
  const property = fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(200), (pieces, before) => {
    const memory = new ArrayBuffer(directMemoryBytes(3));
    const neighbours = [new FakeLogbook(3, 0, memory), new FakeLogbook(3, 2, memory)];
    for (const one of neighbours) one.serve({ uri: '/neighbour' });
    const worker = new FakeLogbook(3, 1, memory);
    const book = new Logbook(memory, 3, 1);
    for (let n = 0; n < before; n++) worker.serve({ uri: `/${n}` });
    for (const { at, bytes } of pieces) worker.bytes.set(bytes.subarray(0, logbookBytes - at), at);
    for (let look = 0; look < 3; look++) {
      if (book.take(256).length > 256) return false;
      if (JSON.stringify(book.present() ?? null).includes('neighbour')) return false;
      for (const sum of Object.values(book.grown() ?? {})) if (!(sum >= 0 && sum <= 2 ** 40)) return false;
    }
    for (let n = 0; n < 10; n++) book.take(256);
    worker.bytes.copyWithin(64, 128, 136); // an honest one again
    worker.put(encode(1, { uri: '/honest' }));
    const after = book.take(256).map(({ uri }) => uri);
    const fromNeighbours = [0, 2].map((slot) => new Logbook(memory, 3, slot).take(9).map(({ uri }) => uri));
    return after.join() === '/honest' && fromNeighbours.every((uris) => uris.join() === '/neighbour');
  });
  t.doesNotThrow(() => fc.assert(property, fuzzSettings));
  t.end();
});
