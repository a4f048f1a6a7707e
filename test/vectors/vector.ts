/**
 * Reads the exchanges of this folder: what a web server sends to a FastCGI application, and what reading it comes to.
 * One line, one thing; lines that begin with two spaces are the content of the record above them:
 *
 *   # a comment
 *   limit maxBodyBytes=1000        how the reader is set up, where it matters
 *   begin 1 role=1 flags=0         BEGIN_REQUEST for request 1
 *   params 1 padding=3             PARAMS; without content it is the end of the stream
 *     NAME=value                   a pair
 *   stdin 1                        STDIN, likewise
 *     text some text               to the end of the line
 *     zeros 400                    as many zero bytes
 *     hex 0e 03                    these bytes
 *   abort 1, get-values 0          the other records that have names
 *   record 8 1                     a record by the number of its type
 *   hex 01 63 00 00                bytes outside any record
 *   > head method=GET uri=/        what comes of it, in this order
 *   > reply 01 0b 00 00            bytes that go back at once
 *
 * The records are put together here and not by src/fastcgi/encode.ts, so that no mistake there can hide itself.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Vector {
  readonly name: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly bytes: Buffer;
  readonly expected: readonly string[];
  readonly replies: Buffer;
}

const types = new Map([
  ['begin', 1],
  ['abort', 2],
  ['params', 4],
  ['stdin', 5],
  ['get-values', 9],
]);

/** Compiled tests run from build/, the exchanges stay where they are written. */
function folder(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, 'test/vectors/apache-get.txt'))) {
    if (dirname(at) === at) throw new Error('test/vectors is not above this file');
    at = dirname(at);
  }
  return join(at, 'test/vectors');
}

export function allVectors(): Vector[] {
  const from = folder();
  const files = readdirSync(from).filter((file) => file.endsWith('.txt'));
  return files.sort().map((file) => parse(file.slice(0, -4), readFileSync(join(from, file), 'utf8')));
}

export function vector(name: string): Vector {
  return parse(name, readFileSync(join(folder(), `${name}.txt`), 'utf8'));
}

function parse(name: string, text: string): Vector {
  const chunks: Buffer[] = [];
  const limits: Record<string, number> = {};
  const expected: string[] = [];
  const replies: Buffer[] = [];
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] as string;
    const [word = '', ...rest] = line.split(' ');
    if (line.startsWith('> reply ')) replies.push(hex(line.slice(8)));
    else if (word === '>') expected.push(rest.join(' '));
    else if (word === 'hex') chunks.push(hex(rest.join(' ')));
    else if (word === 'limit') for (const [key, value] of attributes(rest)) limits[key] = Number(value);
    else {
      const content: Buffer[] = [];
      while (lines[i + 1]?.startsWith('  ') === true) content.push(contentOf(lines[++i] as string));
      chunks.push(record(word, rest, Buffer.concat(content)));
    }
  }
  return { name, limits, bytes: Buffer.concat(chunks), expected, replies: Buffer.concat(replies) };
}

/** The `key=value` words of a line. */
export function attributes(words: readonly string[]): Map<string, string> {
  const pairs = words.filter((word) => word.includes('='));
  return new Map(pairs.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}

function record(word: string, rest: readonly string[], content: Buffer): Buffer {
  const numbers = word === 'record' ? rest.map(Number) : [types.get(word) ?? Number.NaN, Number(rest[0])];
  const [type = 0, id = 0] = numbers;
  if (Number.isNaN(type)) throw new Error(`A vector cannot say “${word}”`);
  const given = attributes(rest);
  const padding = Number(given.get('padding') ?? 0);
  const body =
    word === 'begin'
      ? Buffer.of(0, Number(given.get('role')), Number(given.get('flags')), 0, 0, 0, 0, 0)
      : content;
  const header = Buffer.of(1, type, id >> 8, id & 255, body.length >> 8, body.length & 255, padding, 0);
  return Buffer.concat([header, body, Buffer.alloc(padding)]);
}

function contentOf(line: string): Buffer {
  const text = line.slice(2);
  if (text.startsWith('text ')) return Buffer.from(text.slice(5));
  if (text.startsWith('zeros ')) return Buffer.alloc(Number(text.slice(6)));
  if (text.startsWith('hex ')) return hex(text.slice(4));
  const at = text.indexOf('=');
  const name = Buffer.from(text.slice(0, at));
  const value = Buffer.from(text.slice(at + 1));
  return Buffer.concat([lengthOf(name), lengthOf(value), name, value]);
}

function lengthOf(bytes: Buffer): Buffer {
  if (bytes.length < 128) return Buffer.of(bytes.length);
  return Buffer.of(0x80, 0, bytes.length >> 8, bytes.length & 255);
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}
