/** Arbitrary cuts, records and hostile byte streams, shared by the property tests. */
import fc from 'fast-check';

/** Where a stream is cut: sizes of its pieces, used again from the start when they run out. */
export const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

/** Copies of the pieces: each in a buffer of its own, as if the receive buffer were used again. */
export function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}

export const content = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));

const header = fc.record({
  version: fc.oneof({ weight: 30, arbitrary: fc.constant(1) }, fc.nat(255)),
  type: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 11 }) }, fc.nat(255)),
  id: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 2 }) }, fc.nat(65_535)),
  padding: fc.oneof(fc.constant(0), fc.nat(255)),
});

/** A record that is mostly sound, of any type and id. */
export const anyRecord = fc
  .tuple(header, fc.oneof(content, fc.constant(Buffer.alloc(8)), fc.constant(Buffer.alloc(0))))
  .map(([{ version, type, id, padding }, body]) =>
    Buffer.concat([
      Buffer.of(version, type, id >> 8, id & 255, body.length >> 8, body.length & 255, padding, 0),
      body,
      Buffer.alloc(padding),
    ]),
  );

/** Bytes that look like FastCGI for a while, and bytes that do not. */
export const hostileBytes = fc.oneof(
  fc.array(anyRecord, { maxLength: 30 }).map((records) => Buffer.concat(records)),
  fc
    .tuple(fc.array(anyRecord, { maxLength: 8 }), content)
    .map(([records, rest]) => Buffer.concat([...records, rest])),
  content,
);

const text = fc.string({ maxLength: 200 });

/** Parameters, some of them long enough for four-byte lengths, some that the router looks at. */
export const parameters = fc.array(
  fc.tuple(
    fc.oneof(
      text,
      fc.constantFrom('GUISE_KEY', 'REDIRECT_GUISE_KEY', 'SERVER_NAME', 'REQUEST_METHOD', 'GUISE_SITE'),
    ),
    text,
  ),
  { maxLength: 30 },
);
