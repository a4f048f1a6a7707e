/** Disks that are full, clocks that have jumped, logs that grow. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { quoteShell } from '../../config/toml-file.js';
import type { Ailment, Check, Look } from '../check.js';

const mib = 1024 ** 2;
/** What must be free: a hundredth, but at least 64 MiB and at most 1 GiB; of a small file system a tenth. */
const leastShare = 0.01;

function leastFree(sizeBytes: number): number {
  return Math.min(sizeBytes * 0.1, Math.max(64 * mib, Math.min(sizeBytes * leastShare, 1024 * mib)));
}

function places({ config }: Look): string[] {
  const { run, state, log } = config.paths;
  return [run, state, `${state}/spool`, log].filter((path) => existsSync(path));
}

export const disk: Check = {
  id: 'disk',
  severity: 'error',
  title: 'a file system that guise writes to is full',
  examine: (look) =>
    places(look).flatMap((path): Ailment[] => {
      const room = look.machine.room(path);
      if (room === undefined || room.sizeBytes === 0) return [];
      const least = leastFree(room.sizeBytes);
      const isFull = room.freeBytes < least;
      const isCrowded = room.inodes > 0 && room.freeInodes < room.inodes * leastShare;
      if (!isFull && !isCrowded) return [];
      const what = isFull ? `${Math.floor(room.freeBytes / mib)} MiB` : `${room.freeInodes} inodes`;
      return [
        {
          about: path,
          message: `there is no room left in ${path}: uploads, sessions and logs fail`,
          found: `${what} free of ${isFull ? `${Math.floor(room.sizeBytes / mib)} MiB` : room.inodes}`,
          expected: isFull ? `at least ${Math.ceil(least / mib)} MiB` : 'at least one in a hundred',
          remedy: `du ${isFull ? '' : '--inodes '}-x --max-depth=3 ${quoteShell(path)} | sort -n | tail   # shows what takes it`,
        },
      ];
    }),
};

const minutes5 = 300_000;
/** guise did not exist before. */
const earliestMs = Date.UTC(2025, 0, 1);

export const clock: Check = {
  id: 'clock',
  severity: 'warning',
  title: 'the clock is wrong, or has been',
  examine: ({ config, registry, machine }) => {
    const now = machine.nowMs();
    const set = 'timedatectl set-ntp true';
    if (now < earliestMs) {
      const message = 'the clock of this machine is not set: keys, sessions and logs go by it';
      const found = new Date(now).toISOString();
      return [{ about: 'the clock', message, found, expected: 'the time', remedy: set }];
    }
    const files = [config.file, ...registry.sites.map(({ file }) => file), `${config.paths.log}/guise.log`];
    return files.flatMap((file): Ailment[] => {
      const mtime = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (mtime <= now + minutes5) return [];
      return [
        {
          about: file,
          message: `${file} was written in the future: the clock has been set back since, or is wrong now`,
          found: new Date(mtime).toISOString(),
          expected: `not after ${new Date(now).toISOString()}`,
          remedy: `touch ${quoteShell(file)}   # when the clock is right; else first: ${set}`,
        },
      ];
    });
  },
};

const largeLog = 256 * mib;

export const logRotation: Check = {
  id: 'log-rotation',
  severity: 'warning',
  title: 'guise.log has grown large, and nothing rotates it',
  examine: ({ config, machine }) => {
    const file = `${config.paths.log}/guise.log`;
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= largeLog || isRotated(machine.logrotateDirectory, config.paths.log)) return [];
    const rule = `${machine.logrotateDirectory}/guise`;
    const reopen = `  guise reopen --config ${quoteShell(config.file)}`;
    const body = [' weekly', ' maxsize 100M', ' rotate 8', ' compress', ' delaycompress', ' missingok'];
    const lines = [`${file} {`, ...body, ' postrotate', reopen, ' endscript', '}'];
    return [
      {
        about: file,
        message: `${file} is larger than 256 MiB, and nothing rotates it (logs of sites guise rotates itself)`,
        found: `${Math.floor(size / mib)} MiB`,
        expected: `a file in ${machine.logrotateDirectory} that names it`,
        remedy: `printf '%s\\n' ${lines.map(quoteShell).join(' ')} >> ${quoteShell(rule)}`,
      },
    ];
  },
};

function isRotated(rules: string, log: string): boolean {
  return names(rules).some((name) => {
    const file = `${rules}/${name}`;
    return (
      statSync(file, { throwIfNoEntry: false })?.isFile() === true &&
      readFileSync(file, 'utf8').includes(`${log}/`)
    );
  });
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
