/**
 * Opens the files of a web server's configuration, as data and nothing else: regular files only, bounded in size and
 * number, so that no FIFO, device or endless chain of includes can hold or fill the program that reads them as root.
 */

import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { errorCode } from '../config/toml-file.js';

/** One line of configuration, or a section with what stands inside it. */
export interface Directive {
  /** In lower case; of a section the name of its tag. */
  readonly name: string;
  readonly args: readonly string[];
  readonly file: string;
  readonly line: number;
  readonly inside?: readonly Directive[];
}

/** What could not be read, and so was not looked at. */
export interface Unread {
  readonly file: string;
  readonly line: number;
  readonly why: string;
}

export interface ConfigTree {
  readonly directives: readonly Directive[];
  /** Every file that was read, in order. */
  readonly files: readonly string[];
  readonly unread: readonly Unread[];
}

const mostBytes = 8 * 1024 ** 2;
export const mostFiles = 50_000;
export const mostDepth = 24;

/** The text of a file, or why it cannot be had. */
export function readSource(file: string): { readonly text: string } | { readonly why: string } {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    return { why: errorCode(thrown) ?? String(thrown) };
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return { why: 'no regular file' };
    return stats.size > mostBytes ? { why: 'too large' } : { text: readFileSync(fd, 'utf8') };
  } finally {
    closeSync(fd);
  }
}

/** The files that a pattern means, sorted; of a directory those within it. A pattern without wildcards is itself. */
export function expandPattern(pattern: string): string[] {
  let found = [''];
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    found = found.flatMap((base) =>
      /[*?[]/.test(part) ? entries(base, wildcard(part)) : [`${base}/${part}`],
    );
  }
  return found;
}

/** Files of a directory and of those within it, as Apache reads an Include of a directory. */
export function filesWithin(path: string, depth = 0): string[] {
  if (depth > mostDepth || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  return names(path).flatMap((name) => filesWithin(`${path}/${name}`, depth + 1));
}

function entries(base: string, pattern: RegExp): string[] {
  return names(base || '/')
    .filter((name) => pattern.test(name))
    .map((name) => `${base}/${name}`);
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** fnmatch(3) for one component; a leading dot must be written. */
export function wildcard(part: string): RegExp {
  const body = part.replace(/[.+^${}()|\\*?]/g, (one) =>
    one === '*' ? '[^/]*' : one === '?' ? '[^/]' : `\\${one}`,
  );
  try {
    return new RegExp(`^${/^[*?[]/.test(part) ? '(?!\\.)' : ''}${body.replaceAll('[!', '[^')}$`);
  } catch {
    return /$^/;
  }
}
