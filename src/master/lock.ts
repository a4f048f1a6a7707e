/**
 * One daemon per run directory. The lock is held by the open file, so it ends with the process, however that ends.
 */

import { ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { GuiseError } from '../error.js';
import { lockFile } from '../os/socket.js';

/** @throws GuiseError ALREADY_RUNNING when another daemon holds the directory */
export function lockRunDirectory(directory: string): void {
  const file = `${directory}/guise.lock`;
  const fd = openSync(file, 'a+', 0o644);
  if (!lockFile(fd)) {
    const pid = readFileSync(file, 'utf8').trim();
    throw new GuiseError('ALREADY_RUNNING', `guise is already running on ${directory} (pid ${pid})`, {
      file,
      remedy: 'stop it with "guise stop", or give this one another [paths] run directory',
    });
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
}
