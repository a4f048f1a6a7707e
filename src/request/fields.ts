/**
 * The names of the few parameters that the router reads, and a comparison that costs little for all the others: a
 * table by length, then the bytes from the last one backwards, since CGI names differ at their ends.
 */

/** Numbers of the fields. Those of identity come first: up to REDIRECT_GUISE_SITE. */
export const Field = {
  GUISE_KEY: 0,
  GUISE_SITE: 1,
  REDIRECT_GUISE_SITE: 2,
  SERVER_NAME: 3,
  REQUEST_METHOD: 4,
  REQUEST_URI: 5,
  SCRIPT_FILENAME: 6,
  CONTENT_LENGTH: 7,
  HTTP_TRANSFER_ENCODING: 8,
  REMOTE_ADDR: 9,
  REMOTE_USER: 10,
} as const;

interface Entry {
  readonly field: number;
  readonly name: Uint8Array;
}

// REDIRECT_GUISE_SITE is found by matchRedirected, which takes any number of prefixes.
const entries: readonly Entry[] = Object.entries(Field)
  .filter(([name]) => name !== 'REDIRECT_GUISE_SITE')
  .map(([name, field]) => ({ field, name: Buffer.from(name) }));

export const fieldCount: number = Object.keys(Field).length;

const longest = Math.max(...entries.map(({ name }) => name.length));
const byLength: readonly (readonly Entry[])[] = Array.from({ length: longest + 1 }, (_, length) =>
  entries.filter(({ name }) => name.length === length),
);

const PREFIX = Buffer.from('REDIRECT_');
const FIRST = PREFIX[0];

/** The number of the field with this name, or -1. The name is the bytes from `start` to `end`. */
export function matchField(bytes: Uint8Array, start: number, end: number): number {
  const candidates = byLength[end - start];
  if (candidates === undefined) return -1;
  for (const { field, name } of candidates) {
    if (sameBytes(bytes, start, name, 0, name.length)) return field;
  }
  return -1;
}

/** The same for a name behind one or more `REDIRECT_`, which Apache adds at each internal redirect. Else -1. */
export function matchRedirected(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (bytes[at] === FIRST && end - at > PREFIX.length && sameBytes(bytes, at, PREFIX, 0, PREFIX.length)) {
    at += PREFIX.length;
  }
  return at === start ? -1 : matchField(bytes, at, end);
}

/** Whether `length` bytes are equal. Not in constant time: keys are compared elsewhere. */
export function sameBytes(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number,
): boolean {
  for (let i = length - 1; i >= 0; i -= 1) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}
