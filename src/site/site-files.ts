/** The files of the directory of sites, and their order: by name as bytes, which says who keeps what two claim. */

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { ownText } from './own-text.js';

export function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** By name as bytes. */
export function isLater(file: string, than: string): boolean {
  return compare(file, than) > 0;
}

export function inOrder(files: readonly string[]): string[] {
  return [...files].sort(compare);
}

/** As their bytes compare: so do texts themselves, but for what lies outside of the basic plane. */
function compare(a: string, b: string): number {
  if (surrogates.test(a) || surrogates.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : Number(a > b);
}

const surrogates = /[\ud800-\udfff]/;

/** The files that hold sites, sorted by name as bytes. Hidden files and editors' backups are not among them. */
export function siteFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.toml') && !name.startsWith('.'));
    return inOrder(names).map((name) => ownText(join(directory, name)));
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return [];
    const remedy = errorCode(thrown) === 'EACCES' ? 'run this as root' : undefined;
    throw new GuiseError(
      'CONFIG_UNREADABLE',
      `the directory of sites ${directory} cannot be listed: ${messageOf(thrown)}`,
      { file: directory, ...(remedy === undefined ? {} : { remedy }) },
      thrown,
    );
  }
}
