/**
 * What a web server sends to the status application: it proves that the administrator's configuration asks, and not a
 * tenant's .htaccess. Kept in a file of root's in the state directory, and made when somebody first needs it.
 */

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { GuiseError, messageOf } from '../error.js';
import { makeKey } from './key.js';

/** @throws GuiseError CONFIG_UNREADABLE when it cannot be read, or is no key */
export function statusKey(stateDirectory: string): string {
  const path = `${stateDirectory}/status.key`;
  try {
    const key = (readKey(path) ?? made(stateDirectory, path)).trim();
    if (/^[0-9a-f]{64}$/.test(key)) return key;
  } catch (thrown) {
    throw new GuiseError('CONFIG_UNREADABLE', `the key of the status cannot be read: ${messageOf(thrown)}`, {
      file: path,
      remedy: 'run this as root',
    });
  }
  throw new GuiseError('CONFIG_UNREADABLE', 'this is no key', {
    file: path,
    remedy: `rm ${path}, then print the web server's configuration again: guise web --help`,
  });
}

function readKey(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Linked when it is whole: daemon and command may both be the first. */
function made(stateDirectory: string, path: string): string {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o755 });
  const own = `${path}.${process.pid}`;
  writeFileSync(own, `${makeKey()}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(own, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  } finally {
    rmSync(own, { force: true });
  }
  return readFileSync(path, 'utf8');
}
