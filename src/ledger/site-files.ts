/** The files that lines are waiting for: by site and kind, asked for when the first line comes, given back when idle. */

import type { BatchLine } from '../account/batch.js';
import { SiteFile } from './site-file.js';

export interface FilesSetup {
  readonly maxBytes: number;
  /** Whether there is room on the disk for anything but sites' own data. */
  hasRoom(): boolean;
  /** Asks the master; `isFull`: for the next file. */
  ask(site: number, kind: number, isFull: boolean): void;
  /** Lines came when their site had been removed. */
  gone(lines: number): void;
  /** Lines were left out. */
  problem(problem: unknown, lines: number): void;
}

/** A file that nobody has written to for so long is closed. */
const idleMs = 30_000;

export class SiteFiles {
  readonly #setup: FilesSetup;
  readonly #files = new Map<
    string,
    { readonly site: number; readonly kind: number; readonly file: SiteFile }
  >();

  constructor(setup: FilesSetup) {
    this.#setup = setup;
  }

  get size(): number {
    return this.#files.size;
  }

  add(lines: readonly BatchLine[], nowMs: number): void {
    if (lines.length === 0) return;
    if (!this.#setup.hasRoom()) {
      this.#setup.problem('the disk is nearly full', lines.length);
      return;
    }
    const groups = new Map<string, BatchLine[]>();
    for (const line of lines) {
      const key = `${line.site}:${line.kind}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [line]);
      else group.push(line);
    }
    for (const group of groups.values()) this.#addTo(group, nowMs);
  }

  /** The master's answer; -1: there is no such file. */
  given(site: number, kind: number, fd: number): void {
    const { file } = this.#of(site, kind);
    if (fd >= 0) {
      this.#attempt(file, () => file.open(fd));
      return;
    }
    file.refuse();
    if (file.leftOut > 0) this.#setup.gone(file.leftOut);
    file.leftOut = 0;
  }

  /** Somebody has renamed them: all are asked for again when there is something to write. */
  reopen(): void {
    for (const { file } of this.#files.values()) file.close();
    this.#files.clear();
  }

  closeIdle(nowMs: number): void {
    for (const [key, { file }] of this.#files) {
      if (nowMs - file.lastUsedMs < idleMs || file.isAsked) continue;
      file.close();
      this.#files.delete(key);
    }
  }

  #addTo(lines: readonly BatchLine[], nowMs: number): void {
    const [first] = lines;
    if (first === undefined) return;
    const { site, kind } = first;
    const { file } = this.#of(site, kind);
    this.#attempt(file, () => {
      file.add(
        lines.map(({ json }) => json),
        nowMs,
      );
    });
    if (file.isAsked || (file.isOpen && !file.isFull)) return;
    file.isAsked = true;
    this.#setup.ask(site, kind, file.isOpen);
  }

  #of(site: number, kind: number): { file: SiteFile } {
    const key = `${site}:${kind}`;
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    const made = { site, kind, file: new SiteFile(this.#setup.maxBytes) };
    this.#files.set(key, made);
    return made;
  }

  #attempt(file: SiteFile, act: () => void): void {
    let problem: unknown;
    try {
      act();
    } catch (thrown) {
      problem = thrown;
    }
    if (file.leftOut === 0) return;
    this.#setup.problem(problem, file.leftOut);
    file.leftOut = 0;
  }
}
