/**
 * Where the keys of a TOML text stand, so that a complaint can name the line. Works on text that a real TOML
 * parser has accepted already, and so it needs to know only where keys, values and strings begin and end.
 * On any other text it finds less, and never throws.
 */

import { parse } from 'smol-toml';

export interface Place {
  /** Counted from 1. */
  readonly line: number;
  /** Offsets in the text: from the first character of the key to behind the last one of the value. */
  readonly start: number;
  readonly end: number;
}

export type Path = readonly PropertyKey[];

/** The places of every table, key and array element, to be asked with `placeOf`. */
export type Places = ReadonlyMap<string, Place>;

function join(path: Path): string {
  return path.map(String).join('\0');
}

/** The place of a path, or of the nearest thing around it that has one; line 1 at last. */
export function placeOf(places: Places, path: Path): Place {
  for (let length = path.length; length > 0; length--) {
    const place = places.get(join(path.slice(0, length)));
    if (place !== undefined) return place;
  }
  return { line: 1, start: 0, end: 0 };
}

/** The place of exactly this path, if the text has it. */
export function exactPlace(places: Places, path: Path): Place | undefined {
  return places.get(join(path));
}

export function locateKeys(text: string): Places {
  return new Locator(text).run();
}

class Locator {
  readonly #text: string;
  readonly #places = new Map<string, Place>();
  readonly #arrayTables = new Map<string, number>();
  readonly #lineStarts: number[] = [0];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      this.#lineStarts.push(at + 1);
  }

  run(): Places {
    let table: Path = [];
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) return this.#places;
      const before = this.#at;
      if (this.#peek() === '[') table = this.#header();
      else this.#keyValue(table);
      if (this.#at === before) return this.#places;
    }
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #mark(path: Path, start: number): void {
    const key = join(path);
    // The first mention wins: a table opened twice by dotted keys stands where it began.
    if (!this.#places.has(key)) this.#places.set(key, { line: this.#lineAt(start), start, end: this.#at });
  }

  #lineAt(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  #header(): Path {
    const start = this.#at;
    const many = this.#text.startsWith('[[', start);
    this.#at += many ? 2 : 1;
    let path: Path = this.#key();
    if (many) {
      const key = join(path);
      const index = this.#arrayTables.get(key) ?? 0;
      this.#arrayTables.set(key, index + 1);
      path = [...path, index];
    }
    while (this.#peek() === ' ' || this.#peek() === '\t') this.#at++;
    this.#at += many ? 2 : 1;
    for (let length = 1; length <= path.length; length++) this.#mark(path.slice(0, length), start);
    return path;
  }

  #keyValue(table: Path): void {
    const start = this.#at;
    const key = this.#key();
    if (this.#peek() !== '=') {
      this.#at = this.#text.length;
      return;
    }
    this.#at++;
    this.#value([...table, ...key]);
    for (let length = 1; length <= key.length; length++)
      this.#mark([...table, ...key.slice(0, length)], start);
  }

  /** Reads a key, dotted and quoted as it may be, up to its `=` or `]`, and returns its parts. */
  #key(): string[] {
    const start = this.#at;
    while (this.#at < this.#text.length && !'=]\n'.includes(this.#peek())) {
      if (this.#peek() === '"' || this.#peek() === "'") this.#string();
      else this.#at++;
    }
    const parts: string[] = [];
    try {
      let inner: unknown = parse(`${this.#text.slice(start, this.#at)} = 0`);
      while (typeof inner === 'object' && inner !== null) {
        const [part = ''] = Object.keys(inner);
        parts.push(part);
        inner = (inner as Record<string, unknown>)[part];
      }
    } catch {
      // Not a key: the parser proper has the say about that.
    }
    return parts;
  }

  #value(path: Path): void {
    this.#skipBlank();
    const first = this.#peek();
    if (first === '"' || first === "'") this.#string();
    else if (first === '[') this.#list(path, ']', (index) => this.#element(path, index));
    else if (first === '{') this.#list(path, '}', () => this.#keyValue(path));
    else while (this.#at < this.#text.length && !',]}\n#'.includes(this.#peek())) this.#at++;
    while (/\s/.test(this.#text[this.#at - 1] ?? '')) this.#at--;
  }

  #element(path: Path, index: number): void {
    const start = this.#at;
    this.#value([...path, index]);
    this.#mark([...path, index], start);
  }

  #list(_path: Path, close: string, item: (index: number) => void): void {
    this.#at++;
    for (let index = 0; ; index++) {
      this.#skipBlank();
      const before = this.#at;
      if (this.#peek() !== close) item(index);
      this.#skipBlank();
      if (this.#peek() === ',') this.#at++;
      else {
        if (this.#peek() === close) this.#at++;
        return;
      }
      if (this.#at === before) return;
    }
  }

  #string(): void {
    const quote = this.#peek();
    const fence = this.#text.startsWith(quote.repeat(3), this.#at) ? quote.repeat(3) : quote;
    this.#at += fence.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(fence, this.#at)) {
      this.#at += quote === '"' && this.#peek() === '\\' ? 2 : 1;
    }
    this.#at += fence.length;
    // A multi-line string may end in one or two quotes of its own.
    if (fence.length === 3) while (this.#peek() === quote) this.#at++;
  }

  #skipBlank(): void {
    for (;;) {
      while (/\s/.test(this.#peek())) this.#at++;
      if (this.#peek() !== '#') return;
      while (this.#at < this.#text.length && this.#peek() !== '\n') this.#at++;
    }
  }
}
