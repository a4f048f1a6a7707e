/**
 * Reads php-fpm's configuration as data: pools and their lines, includes followed, `$pool` replaced. What a line means
 * is the matter of fpm.ts.
 *
 * Source: "FPM configuration" in the PHP manual; fpm_conf.c.
 */

import { dirname, resolve } from 'node:path';
import { expandPattern, mostDepth, mostFiles, readSource, type Unread } from '../web/config-source.js';

export interface FpmLine {
  /** Without its brackets: `php_value`. */
  readonly key: string;
  /** What stands in brackets: `memory_limit`. */
  readonly name?: string;
  readonly value: string;
  readonly file: string;
  readonly line: number;
}

export interface FpmPool {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly lines: readonly FpmLine[];
  /** A socket's path, or an address with a port. */
  readonly listen?: string;
}

export interface FpmReading {
  readonly pools: readonly FpmPool[];
  /** Lines of [global], and such as stand in no section. */
  readonly globals: readonly FpmLine[];
  readonly unread: readonly Unread[];
}

export function fpmPools(file: string): FpmReading {
  const reader = new Reader();
  reader.read(file, 0, { file, line: 1 });
  return reader.result();
}

class Reader {
  readonly #pools: { name: string; file: string; line: number; lines: FpmLine[] }[] = [];
  readonly #globals: FpmLine[] = [];
  readonly #unread: Unread[] = [];
  #files = 0;
  #lines = this.#globals;

  read(file: string, depth: number, from: { file: string; line: number }): void {
    const isTooMuch = depth > mostDepth || ++this.#files > mostFiles;
    const source = isTooMuch ? { why: 'too many files' } : readSource(file);
    if ('why' in source) {
      this.#unread.push({ ...from, why: `${file}: ${source.why}` });
      return;
    }
    for (const [index, text] of source.text.split('\n').entries())
      this.#line(text.trim(), file, index + 1, depth);
  }

  #line(text: string, file: string, line: number, depth: number): void {
    if (text === '' || text.startsWith(';') || text.startsWith('#')) return;
    const section = /^\[([^\]]+)\]/.exec(text)?.[1];
    if (section !== undefined) {
      this.#section(section, file, line);
      return;
    }
    const [, key, , name, raw] = /^([A-Za-z0-9_.]+)(\[([^\]]*)\])?\s*=\s*(.*)$/.exec(text) ?? [];
    if (key === undefined) {
      this.#unread.push({ file, line, why: text });
      return;
    }
    const value = unquote(raw ?? '').replaceAll('$pool', this.#pools.at(-1)?.name ?? '$pool');
    if (key !== 'include') {
      this.#lines.push({ key, value, file, line, ...(name === undefined ? {} : { name }) });
      return;
    }
    for (const path of expandPattern(resolve(dirname(file), value)))
      this.read(path, depth + 1, { file, line });
  }

  #section(name: string, file: string, line: number): void {
    if (name === 'global') {
      this.#lines = this.#globals;
      return;
    }
    const known = this.#pools.find((pool) => pool.name === name);
    const pool = known ?? { name, file, line, lines: [] };
    if (known === undefined) this.#pools.push(pool);
    this.#lines = pool.lines;
  }

  result(): FpmReading {
    const pools = this.#pools.map((pool): FpmPool => {
      const listen = pool.lines.filter(({ key }) => key === 'listen').at(-1)?.value;
      return listen === undefined ? pool : { ...pool, listen };
    });
    return { pools, globals: this.#globals, unread: this.#unread };
  }
}

/** A quoted value as it is; else up to a comment. */
function unquote(text: string): string {
  const quoted = /^"((?:\\.|[^"\\])*)"|^'([^']*)'/.exec(text);
  if (quoted !== null) return (quoted[1] ?? quoted[2] ?? '').replace(/\\(["\\])/g, '$1');
  return text.replace(/\s;.*$/, '').trim();
}
