/**
 * Writes TOML: the text of a new site, and changes to one that a person has written, whose comments and order
 * are kept wherever that is possible.
 */

import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'smol-toml';
import { exactPlace, locateKeys } from '../config/locate.js';

export type Table = Readonly<Record<string, unknown>>;

/** The order in which people like to read it. Everything else follows in the order given. */
const firstKeys = ['name', 'aliases', 'root', 'user', 'mode', 'socket', 'key', 'old_keys'];

export function composeSite(table: Table): string {
  const ordered = Object.fromEntries(
    [...firstKeys, ...Object.keys(table)]
      .filter((key) => table[key] !== undefined)
      .map((key) => [key, table[key]]),
  );
  return [
    '# A site of guise: see "guise check" after changing it, and "guise reload" to apply it.',
    "# It holds the secret key of the site: the file must stay root's, mode 0600 or 0640.",
    '',
    stringify(ordered),
  ].join('\n');
}

/**
 * The text with some top-level keys set, or removed where the value is undefined. Edits in place; where the
 * text is written in a way that makes this unsafe, the whole is written anew, without its comments.
 */
export function changeKeys(text: string, changes: Table): string {
  const all = Object.entries({ ...parse(text), ...changes });
  const wanted = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  let edited = text;
  for (const [key, value] of Object.entries(changes)) edited = changeKey(edited, key, value);
  return means(edited, wanted) ? edited : composeSite(wanted);
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
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function changeKey(text: string, key: string, value: unknown): string {
  const places = locateKeys(text);
  const place = exactPlace(places, [key]);
  if (place === undefined) return value === undefined ? text : insertKey(text, `${key} = ${inline(value)}\n`);
  if (value !== undefined)
    return `${text.slice(0, place.start)}${key} = ${inline(value)}${text.slice(place.end)}`;
  const rest = text.slice(place.end);
  const lineEnd = rest.indexOf('\n');
  return text.slice(0, place.start) + (lineEnd === -1 ? '' : rest.slice(lineEnd + 1));
}

/** A top-level key must stand before the first table. */
function insertKey(text: string, line: string): string {
  const table = /^[ \t]*\[/m.exec(text);
  const before = table === null ? text : text.slice(0, table.index);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${gap}${line}${table === null ? '' : `\n${text.slice(table.index)}`}`;
}

/** A value on one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const pairs = Object.entries(value).map(([key, inner]) => `${inlineKey(key)} = ${inline(inner)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  return stringify({ v: value }).trim().slice('v = '.length);
}

function inlineKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}
