/** Sets and removes single keys in the table of a site, also those within its tables: `env.APP_ENV`. */

import type { Table } from './compose.js';

/** PHP's own names have dots (`session.gc_maxlifetime`), so of `php_ini` only the first two parts are guise's. */
export function splitKey(key: string): string[] {
  const parts = key.split('.');
  const depth = parts[0] === 'php_ini' ? 2 : 1;
  return parts.length > depth ? [...parts.slice(0, depth), parts.slice(depth).join('.')] : parts;
}

/** The table with the dotted keys set. The one given stays as it is. */
export function setDotted(base: Table, settings: Table): Record<string, unknown> {
  const result: Record<string, unknown> = structuredClone(base);
  for (const [key, value] of Object.entries(settings)) {
    const path = splitKey(key);
    let table = result;
    for (const part of path.slice(0, -1)) {
      const inner = own(table, part);
      const next = isTable(inner) ? inner : {};
      define(table, part, next);
      table = next;
    }
    define(table, path.at(-1) ?? '', value);
  }
  return result;
}

/** The table without the dotted keys; a table that becomes empty by it goes too. */
export function unsetDotted(base: Table, keys: readonly string[]): Record<string, unknown> {
  const result: Record<string, unknown> = structuredClone(base);
  for (const key of keys) remove(result, splitKey(key));
  return result;
}

function remove(table: Record<string, unknown>, path: readonly string[]): void {
  const [first = '', ...rest] = path;
  const inner = own(table, first);
  if (rest.length > 0 && isTable(inner)) {
    remove(inner, rest);
    if (Object.keys(inner).length > 0) return;
  } else if (rest.length > 0) return;
  Reflect.deleteProperty(table, first);
}

function own(table: Table, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Plain assignment would let a key called `__proto__` reach into the prototype. */
function define(table: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(table, key, { value, enumerable: true, writable: true, configurable: true });
}
