/**
 * One daemon per run directory. The lock is held by the open file, so it ends with the process, however that ends.
 */

import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { GuiseError } from '../error.js';
import { lockFile } from '../os/socket.js';

/**
 * @returns what lets go of the directory and leaves no file
 * @throws GuiseError ALREADY_RUNNING when another daemon holds the directory
 */
export function lockRunDirectory(directory: string): () => void {
  const file = `${directory}/guise.lock`;
  for (;;) {
    const fd = openSync(file, 'a+', 0o644);
    if (!lockFile(fd)) {
      closeSync(fd);
      throw alreadyRunning(directory, file);
    }
    if (isInPlace(fd, file)) {
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
      return () => {
        rmSync(file, { force: true });
        closeSync(fd);
      };
    }
    // Its last holder removed it between our opening and our locking: the next one would lock another file.
    closeSync(fd);
  }
}

function isInPlace(fd: number, file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
}

function alreadyRunning(directory: string, file: string): GuiseError {
  const pid = readPid(file);
  return new GuiseError('ALREADY_RUNNING', `guise is already running on ${directory} (pid ${pid})`, {
    file,
    remedy: 'stop it with "guise stop", or give this one another [paths] run directory',
  });
}

/** It may just be ending, and its file be gone. */
function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown';
  } catch {
    return 'unknown';
  }
}
