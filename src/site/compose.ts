/**
 * Writes TOML: the text of a new site, and changes to one that a person has written, whose comments and order
 * are kept wherever that is possible.
 */

import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'smol-toml';
import { exactPlace, locateKeys, type Place } from '../config/locate.js';

export type Table = Readonly<Record<string, unknown>>;

/** The order in which people like to read it. Everything else follows in the order given. */
const firstKeys = ['name', 'aliases', 'root', 'user', 'command', 'mode', 'socket', 'key', 'old_keys'];

export function composeSite(table: Table): string {
  const keys = [...new Set([...firstKeys, ...Object.keys(table)])].filter((key) => table[key] !== undefined);
  const plain = keys
    .filter((key) => !isTable(table[key]))
    .map((key) => `${inlineKey(key)} = ${inline(table[key])}`);
  const tables = keys.filter((key) => isTable(table[key])).map((key) => stringify({ [key]: table[key] }));
  return [
    '# A site of guise: see "guise check" after changing it, and "guise reload" to apply it.',
    ...(table.key === undefined
      ? []
      : ["# It holds the secret key of the site: the file must stay root's, mode 0600 or 0640."]),
    '',
    ...plain,
    ...tables.flatMap((text) => ['', text.trim()]),
    '',
  ].join('\n');
}

/**
 * The text with some top-level keys set, or removed where the value is undefined. Edits in place; where the
 * text is written in a way that makes this unsafe, the whole is written anew, without its comments.
 */
export function changeKeys(text: string, changes: Table): string {
  const before: Table = parse(text);
  const all = Object.entries({ ...before, ...changes });
  const wanted = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  let edited = text;
  for (const path of differences(before, wanted)) edited = change(edited, path, wanted);
  return means(edited, wanted) ? edited : composeSite(wanted);
}

/** The paths of everything that is not the same in both, as deep as there are tables in both. */
function differences(before: Table, after: Table): string[][] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => {
    const [one, other] = [before[key], after[key]];
    if (isTable(one) && isTable(other)) return differences(one, other).map((path) => [key, ...path]);
    return isDeepStrictEqual(plain(one), plain(other)) ? [] : [[key]];
  });
}

/** Makes one path in the text what it is in `wanted`. */
function change(text: string, path: readonly string[], wanted: Table): string {
  const places = locateKeys(text);
  const [key = '', parent] = [path.at(-1), path.slice(0, -1)];
  const table = exactPlace(places, parent);
  // Only a table with a line of its own, [name], has lines that can be changed one by one.
  const ownLines = parent.length === 0 || (table !== undefined && text[table.start] === '[');
  if (!ownLines) return change(text, parent, wanted);
  const value = path.reduce<unknown>((inner, part) => (isTable(inner) ? inner[part] : undefined), wanted);
  const line = `${inlineKey(key)} = ${inline(value)}`;
  const place = exactPlace(places, path);
  if (place !== undefined) return replaceAt(text, place, value === undefined ? undefined : line);
  if (value === undefined) return text;
  return parent.length === 0 ? insertKey(text, line) : insertAfter(text, table?.start ?? 0, line);
}

function replaceAt(text: string, place: Place, line: string | undefined): string {
  if (line !== undefined) return text.slice(0, place.start) + line + text.slice(place.end);
  const rest = text.slice(place.end);
  const lineEnd = rest.indexOf('\n');
  return text.slice(0, place.start) + (lineEnd === -1 ? '' : rest.slice(lineEnd + 1));
}

/** A top-level key must stand before the first table. */
function insertKey(text: string, line: string): string {
  const table = /^[ \t]*\[/m.exec(text);
  const before = table === null ? text : text.slice(0, table.index);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${gap}${line}\n${table === null ? '' : `\n${text.slice(table.index)}`}`;
}

function insertAfter(text: string, offset: number, line: string): string {
  const lineEnd = text.indexOf('\n', offset);
  return lineEnd === -1
    ? `${text}\n${line}\n`
    : `${text.slice(0, lineEnd + 1)}${line}\n${text.slice(lineEnd + 1)}`;
}

function means(text: string, wanted: Table): boolean {
  try {
    return isDeepStrictEqual(plain(parse(text)), plain(wanted));
  } catch {
    return false;
  }
}

/** Without the parser's own date class, which compares as another type. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  if (Array.isArray(value)) return value.map(plain);
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A value on one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([key, inner]) => `${inlineKey(key)} = ${inline(inner)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  return stringify({ v: value }).trim().slice('v = '.length);
}

function inlineKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}
