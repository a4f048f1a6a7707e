/**
 * The journal of one ledger process: each batch is one line in it before it is acknowledged, so a killed process loses
 * nothing that it has acknowledged and counts nothing twice. While its writer lives the file is locked (flock(2)); a
 * journal that can be locked is a dead one's, and is added to the sums by whoever comes next.
 */

import { closeSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { readRow } from '../account/batch.js';
import { type UsageRow, usageFields } from '../account/usage.js';
import { lockFile } from '../os/socket.js';

/** The last batch of each router that has been counted. */
export type Seen = Map<string, number>;

/** A ledger knows so many routers at most: the present one, and a few that are ending. */
const mostRouters = 16;

export interface JournalContent {
  readonly rows: readonly UsageRow[];
  readonly seen: Seen;
}

export class Journal {
  readonly path: string;
  readonly #fd: number;
  #bytes: number;

  /** @throws NodeJS.ErrnoException when it cannot be made or written */
  constructor(path: string, seen: Seen) {
    this.path = path;
    this.#fd = openSync(path, 'ax', 0o600);
    lockFile(this.#fd);
    const head = `${JSON.stringify({ seen: [...seen].slice(-mostRouters) })}\n`;
    this.#bytes = 0;
    this.#append(head);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws NodeJS.ErrnoException, ENOSPC among them; then the journal is as it was before */
  append(epoch: string, sequence: number, usage: readonly UsageRow[]): void {
    const rows = usage.map((row) => [row.day, row.site, ...usageFields.map((field) => row.usage[field])]);
    this.#append(`${JSON.stringify({ epoch, sequence, rows })}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  remove(): void {
    unlinkSync(this.path);
    this.close();
  }

  #append(line: string): void {
    const bytes = Buffer.from(line);
    try {
      let written = 0;
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    } catch (thrown) {
      ftruncateSync(this.#fd, this.#bytes); // half a line would spoil the next one
      throw thrown;
    }
    this.#bytes += bytes.length;
  }
}

/** What a journal holds. A last line that its writer did not finish was not acknowledged either, and does not count. */
export function readJournal(path: string): JournalContent {
  const seen: Seen = new Map();
  const rows: UsageRow[] = [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  for (const line of lines) {
    const entry = parse(line);
    if (entry === undefined) continue;
    for (const [epoch, sequence] of entry.seen ?? []) seen.set(epoch, sequence);
    if (entry.epoch === undefined) continue;
    seen.set(entry.epoch, entry.sequence ?? 0);
    rows.push(...(entry.rows ?? []).map(readRow).filter((row) => row !== undefined));
  }
  return { rows, seen };
}

interface Entry {
  readonly seen?: [string, number][];
  readonly epoch?: string;
  readonly sequence?: number;
  readonly rows?: unknown[];
}

function parse(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

/** Whether a journal's writer is gone. Keeps the lock until the returned function is called; undefined: it lives. */
export function takeOver(path: string): (() => void) | undefined {
  const fd = openSync(path, 'r');
  if (lockFile(fd)) return () => closeSync(fd);
  closeSync(fd);
  return undefined;
}
