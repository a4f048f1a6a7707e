/**
 * The directory of the sums: one file for each day, journals with what has not been added to them yet, and a lock that
 * whoever adds or reads holds. A day's file names the journals that it already holds, so a journal that is added a
 * second time, after somebody was killed in between, changes nothing.
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { addUsage, noUsage, type Usage, type UsageRow, UsageTable, usageFields } from '../account/usage.js';
import { GuiseError } from '../error.js';
import { lockFile } from '../os/socket.js';
import { readJournal } from './journal.js';

const dayPattern = /^(\d{4}-\d\d-\d\d)\.json$/;
const journalPattern = /^journal\.[a-z0-9.]+$/;

interface DayFile {
  readonly day: string;
  /** Journals that are in the sums and may still lie beside them. */
  readonly journals: readonly string[];
  readonly sites: Readonly<Record<string, Usage>>;
}

/** Undefined while somebody else holds it. */
export function lockUsage(directory: string): (() => void) | undefined {
  const fd = openSync(`${directory}/lock`, 'a', 0o600);
  if (lockFile(fd)) return () => closeSync(fd);
  closeSync(fd);
  return undefined;
}

/** @throws GuiseError SYSCALL_FAILED when somebody holds it for longer than anybody should */
export function waitForUsage(directory: string): () => void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 500; tries++) {
    const unlock = lockUsage(directory);
    if (unlock !== undefined) return unlock;
    Atomics.wait(pause, 0, 0, 20);
  }
  throw new GuiseError('SYSCALL_FAILED', `somebody holds the lock ${directory}/lock`, { syscall: 'flock' });
}

export function journalsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => journalPattern.test(name))
    .sort();
}

/** Adds a journal to the files of its days. Under the lock. The journal itself stays. */
export function addToDays(directory: string, journal: string, rows: readonly UsageRow[]): void {
  const table = new UsageTable();
  for (const { day, site, usage } of rows) table.add(day, site, usage);
  const present = new Set(journalsIn(directory));
  for (const day of table.days) {
    const before = readDay(directory, day);
    if (before.journals.includes(journal)) continue;
    const sites = new Map(Object.entries(before.sites));
    for (const [site, usage] of table.sitesOf(day)) {
      const sum = { ...(sites.get(site) ?? noUsage()) };
      addUsage(sum, usage);
      sites.set(site, sum);
    }
    const journals = [...before.journals.filter((name) => present.has(name)), journal];
    writeDay(directory, { day, journals, sites: Object.fromEntries(sites) });
  }
}

/** Removes the files of days that are older than the youngest `count`. */
export function forgetDays(directory: string, count: number, nowMs: number): void {
  const oldest = new Date(nowMs - count * 86_400_000).toISOString().slice(0, 10);
  for (const day of daysIn(directory)) if (day < oldest) rmSync(`${directory}/${day}.json`, { force: true });
}

function daysIn(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => dayPattern.exec(name)?.[1] ?? [])
    .sort();
}

/** Everything that is known, journals included. Under the lock. */
export function readUsage(directory: string): UsageTable {
  const table = new UsageTable();
  const days = new Map(daysIn(directory).map((day) => [day, readDay(directory, day)]));
  for (const { day, sites } of days.values()) {
    for (const [site, usage] of Object.entries(sites)) table.add(day, site, usage);
  }
  for (const journal of journalsIn(directory)) {
    for (const { day, site, usage } of readJournal(`${directory}/${journal}`).rows) {
      if (days.get(day)?.journals.includes(journal) !== true) table.add(day, site, usage);
    }
  }
  return table;
}

/** @throws SyntaxError when somebody has spoiled it: better no answer than a wrong one */
function readDay(directory: string, day: string): DayFile {
  const path = `${directory}/${day}.json`;
  if (!existsSync(path)) return { day, journals: [], sites: {} };
  const file = JSON.parse(readFileSync(path, 'utf8')) as DayFile;
  const sites = Object.entries(file.sites).map(([site, usage]) => [site, complete(usage)]);
  return { ...file, sites: Object.fromEntries(sites) as Record<string, Usage> };
}

/** A field that an older version did not have is 0. */
function complete(usage: Partial<Usage>): Usage {
  return Object.fromEntries(usageFields.map((field) => [field, usage[field] ?? 0])) as Usage;
}

/** Written new and renamed: there is always a whole one. */
function writeDay(directory: string, file: DayFile): void {
  const path = `${directory}/${file.day}.json`;
  const fd = openSync(`${path}.new`, 'w', 0o600);
  try {
    const bytes = Buffer.from(`${JSON.stringify(file)}\n`);
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
}
