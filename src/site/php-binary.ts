/**
 * Whether a program can be run as php-cgi with guise's library preloaded. The dynamic linker does the
 * preloading, and a program asks for it with a PT_INTERP segment; a statically linked one has none, and
 * LD_PRELOAD would be ignored without a word.
 *
 * Source: elf(5), ELF header and program header.
 */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Finding } from '../config/problem.js';
import { errorCode, formatMode, quoteShell } from '../config/toml-file.js';

const PT_INTERP = 3;

/** What keeps this file from being used as PHP for a site of that user; undefined: nothing. */
export function checkPhpBinary(file: string, siteUid: number): Finding | undefined {
  const expected = 'a dynamically linked php-cgi';
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    const missing = errorCode(thrown) === 'ENOENT';
    return {
      message: missing ? `there is no PHP at ${file}` : `the PHP program ${file} cannot be opened`,
      found: errorCode(thrown) ?? String(thrown),
      expected,
      remedy: missing ? 'apt-get install php-cgi' : `ls -l ${quoteShell(file)}`,
    };
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || (stats.mode & 0o111) === 0) {
      return {
        message: `${file} is no program`,
        found: `mode ${formatMode(stats.mode)}`,
        expected,
        remedy: `chmod 755 ${quoteShell(file)}`,
      };
    }
    if ((stats.uid !== 0 && stats.uid !== siteUid) || (stats.mode & 0o022) !== 0) {
      return {
        message: `the PHP program ${file} can be changed by somebody who is neither root nor the site's user`,
        found: `owner uid ${stats.uid}, mode ${formatMode(stats.mode)}`,
        expected: 'owner root, mode 0755',
        remedy: `chown root ${quoteShell(file)} && chmod 755 ${quoteShell(file)}`,
      };
    }
    return checkElf(file, fd);
  } finally {
    closeSync(fd);
  }
}

function checkElf(file: string, fd: number): Finding | undefined {
  const segments = segmentTypes(fd);
  if (segments === undefined) {
    return {
      message: `${file} is no ELF program, so guise's library cannot be loaded into it`,
      found: 'a script or another kind of file',
      expected: 'the php-cgi program itself',
      remedy: 'name the program that the script starts, for example php = "/usr/bin/php-cgi"',
    };
  }
  if (segments.includes(PT_INTERP)) return undefined;
  return {
    message: `${file} is statically linked, so guise's library cannot be loaded into it`,
    found: 'an ELF program without an interpreter',
    expected: 'a dynamically linked php-cgi',
    remedy: 'use the distribution\'s: apt-get install php-cgi, then php = "/usr/bin/php-cgi"',
  };
}

/** The types of all program headers, or undefined where this is no ELF file. */
function segmentTypes(fd: number): number[] | undefined {
  const head = Buffer.alloc(64);
  if (readSync(fd, head, 0, 64, 0) < 52 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const wide = head[4] === 2;
  const little = head[5] === 1;
  const u16 = (buffer: Buffer, at: number) => (little ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at));
  const u32 = (buffer: Buffer, at: number) => (little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at));
  // e_phoff is 64 bits wide in the wide form; no program has its table beyond 2^53.
  const wideOffset = little ? head.readBigUInt64LE(32) : head.readBigUInt64BE(32);
  const offset = wide ? Number(wideOffset) : u32(head, 28);
  const size = u16(head, wide ? 54 : 42);
  const count = u16(head, wide ? 56 : 44);
  const table = Buffer.alloc(size * count);
  if (size < 4 || readSync(fd, table, 0, table.length, offset) < table.length) return undefined;
  return Array.from({ length: count }, (_, index) => u32(table, index * size));
}
