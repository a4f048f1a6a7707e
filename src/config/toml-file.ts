/**
 * Opens a configuration file the careful way and parses it. Whoever can change such a file decides who PHP
 * runs as, so it must be a regular file of root (or of the user that guise runs as), no symbolic link, and
 * nobody else's to write. The checks are made on the open descriptor: what was checked is what is read.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { messageOf } from '../error.js';
import { exactPlace, locateKeys, type Path, type Places } from './locate.js';
import type { Problem } from './problem.js';

const mostBytes = 1024 * 1024;
/** Of a bare 'utf8' Node makes such a table for each file, where the engine keeps what lives for long. */
const asText = { encoding: 'utf8', flag: 'r' } as const;

export interface TomlFile {
  readonly file: string;
  readonly text: string;
  readonly raw: Record<string, unknown>;
  readonly places: Places;
  /** The permission bits, for those who know whether it holds a secret. */
  readonly mode: number;
}

export type TomlReading = { readonly toml: TomlFile } | { readonly problem: Problem };

/** The error number's name where the file system said no, else undefined. */
export function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}

export function readTomlFile(file: string): TomlReading {
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO put in the place of the file must not stop the daemon.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    return { problem: cannotOpen(file, thrown) };
  }
  try {
    const stats = fstatSync(fd);
    const problem = unsafe(file, stats);
    if (problem !== undefined) return { problem };
    return parseToml(file, readFileSync(fd, asText), stats.mode & 0o7777);
  } finally {
    closeSync(fd);
  }
}

export function parseToml(file: string, text: string, mode: number): TomlReading {
  try {
    return { toml: new ParsedToml(file, text, mode, parse(text)) };
  } catch (thrown) {
    const line = thrown instanceof TomlError ? thrown.line : 1;
    const [reason = ''] = messageOf(thrown).replace('Invalid TOML document: ', '').split('\n');
    return {
      problem: {
        file,
        line,
        message: `this is not TOML: ${reason}`,
        found: (text.split('\n')[line - 1] ?? '').trim().slice(0, 120),
        expected: 'lines such as: key = "value"',
        remedy: 'strings need quotes; see https://toml.io for the rest',
      },
    };
  }
}

/** Most files are right, and nobody asks for the lines of their keys. */
class ParsedToml implements TomlFile {
  readonly file: string;
  readonly text: string;
  readonly mode: number;
  readonly raw: Record<string, unknown>;
  #places: Places | undefined;

  constructor(file: string, text: string, mode: number, raw: Record<string, unknown>) {
    this.file = file;
    this.text = text;
    this.mode = mode;
    this.raw = raw;
  }

  get places(): Places {
    this.#places ??= locateKeys(this.text);
    return this.#places;
  }
}

function cannotOpen(file: string, thrown: unknown): Problem {
  const code = errorCode(thrown);
  const base = { file, line: 1, expected: 'a regular file' };
  if (code === 'ELOOP') {
    const remedy = `cp --remove-destination "$(readlink -f ${quoteShell(file)})" ${quoteShell(file)}`;
    return { ...base, message: 'the file is a symbolic link', found: 'a symbolic link', remedy };
  }
  if (code === 'EACCES') {
    return {
      ...base,
      message: 'the file may not be read',
      found: 'permission denied',
      remedy: 'run this as root',
    };
  }
  return { ...base, message: 'the file cannot be opened', found: code ?? messageOf(thrown), remedy: '' };
}

/** The owners that a configuration file may have: root, and the user that guise runs as. */
export function isTrustedOwner(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function unsafe(file: string, stats: Stats): Problem | undefined {
  const base = { file, line: 1 };
  if (!stats.isFile()) {
    return { ...base, message: 'this is no regular file', found: '', expected: 'a regular file', remedy: '' };
  }
  if (!isTrustedOwner(stats.uid)) {
    return {
      ...base,
      message: 'the file belongs to somebody who could change it',
      found: `owner uid ${stats.uid}`,
      expected: 'owner root',
      remedy: `chown root ${quoteShell(file)}`,
    };
  }
  if ((stats.mode & 0o022) !== 0) {
    return {
      ...base,
      message: 'others than its owner may write this file',
      found: `mode ${formatMode(stats.mode)}`,
      expected: 'mode 0600, 0640 or 0644',
      remedy: `chmod go-w ${quoteShell(file)}`,
    };
  }
  if (stats.size > mostBytes) {
    return {
      ...base,
      message: 'the file is too large',
      found: `${stats.size} bytes`,
      expected: `at most ${mostBytes}`,
      remedy: '',
    };
  }
  return undefined;
}

/** A problem where the file has a secret at this path and its mode lets every user of the machine read it. */
export function exposedSecret(toml: TomlFile, path: Path, afterwards: string): Problem | undefined {
  if ((toml.mode & 0o007) === 0) return undefined;
  const place = exactPlace(toml.places, path);
  if (place === undefined) return undefined;
  return {
    file: toml.file,
    line: place.line,
    message: 'the file holds a key, and every user of this machine may read it',
    found: `mode ${formatMode(toml.mode)}`,
    expected: 'mode 0600 or 0640',
    remedy: `chmod 640 ${quoteShell(toml.file)}   # then, since others may have read it: ${afterwards}`,
  };
}

export function formatMode(mode: number): string {
  return `0${(mode & 0o7777).toString(8).padStart(3, '0')}`;
}

/** A word for the shell: quoted only where it must be. */
export function quoteShell(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
