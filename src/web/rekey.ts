/**
 * Puts a site's key where the web servers' configuration sends another one, or none. Only lines with the key are
 * touched; a file is written anew beside the old one and renamed over it, for root alone to read.
 *
 * Refuses files that others than root could have prepared: whoever can change such a file could have put a link there.
 */

import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { checkRootDirectory } from '../config/root-directory.js';
import { quoteShell } from '../config/toml-file.js';
import { GuiseError } from '../error.js';
import { readSource } from './config-source.js';
import type { WebHost } from './host.js';

export interface Mended {
  readonly file: string;
  readonly line: number;
  readonly what: 'replaced' | 'added';
}

interface Edit extends Mended {
  readonly change: (text: string) => string;
}

/**
 * @param hosts the hosts of that one site that hand scripts to guise
 * @returns what was changed; nothing when every host sends the key already
 * @throws GuiseError NOT_PERMITTED for a file that is not root's alone, SYSCALL_FAILED when it cannot be written
 */
export function rekey(hosts: readonly WebHost[], key: string): Mended[] {
  const edits = hosts.flatMap((host) => editsOf(host, key));
  const byPlace = new Map(edits.map((edit) => [`${edit.file}:${edit.line}:${edit.what}`, edit]));
  const files = new Map<string, Edit[]>();
  for (const edit of byPlace.values()) files.set(edit.file, [...(files.get(edit.file) ?? []), edit]);
  for (const [file, changes] of files) apply(file, changes);
  return [...byPlace.values()].map(({ file, line, what }) => ({ file, line, what }));
}

function editsOf(host: WebHost, key: string): Edit[] {
  if (host.keys.length > 0) {
    return host.keys
      .filter((sent) => sent.key !== key)
      .map(({ key: old, file, line }) => ({
        file,
        line,
        what: 'replaced',
        change: (text) => (old === '' ? text.replace(/""|''/, `"${key}"`) : text.replace(old, key)),
      }));
  }
  const nginx = (text: string): string => {
    const space = /^\s*/.exec(text)?.[0] ?? '';
    return `${space}fastcgi_param GUISE_KEY "${key}";\n${text}`;
  };
  // In Apache a line anywhere within the host will do.
  const apache = (text: string): string => `${text}\n    ProxyFCGISetEnvIf "true" GUISE_KEY "${key}"`;
  const [first] = host.passes;
  if (host.server === 'apache') return [{ file: host.file, line: host.line, what: 'added', change: apache }];
  return first === undefined ? [] : [{ file: first.file, line: first.line, what: 'added', change: nginx }];
}

function apply(file: string, edits: readonly Edit[]): void {
  const real = realpathSync(file);
  const source = readSource(real);
  if ('why' in source)
    throw new GuiseError('SYSCALL_FAILED', `${file} cannot be read: ${source.why}`, { file });
  const stats = statSync(real);
  const way = checkRootDirectory(dirname(real));
  if (stats.uid !== 0 || (stats.mode & 0o002) !== 0 || way !== undefined) {
    const remedy = way?.remedy ?? `chown root ${quoteShell(real)} && chmod o-w ${quoteShell(real)}`;
    throw new GuiseError('NOT_PERMITTED', `${real} can be changed by others than root`, {
      file: real,
      remedy,
    });
  }
  const lines = source.text.split('\n');
  for (const { line, change } of edits) lines[line - 1] = change(lines[line - 1] ?? '');
  const temporary = join(dirname(real), `.${basename(real)}.${process.pid}.new`);
  try {
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(fd, lines.join('\n'));
      chownSync(temporary, stats.uid, stats.gid);
      fchmodSync(fd, stats.mode & 0o640);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, real);
  } finally {
    rmSync(temporary, { force: true });
  }
}
