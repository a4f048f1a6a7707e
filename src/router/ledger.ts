/**
 * The router's end of the ledger: sums and lines go out in batches a few times a second, one batch at a time, and a
 * batch is sent until it is acknowledged. No request waits for it. What cannot be sent yet is bounded: lines above the
 * bound are left out and counted, sums are never lost while this process lives.
 */

import { randomBytes } from 'node:crypto';
import {
  acknowledgementBytes,
  type BatchLine,
  batchMaxLineBytes,
  batchMaxRows,
  encodeBatch,
  fileKinds,
} from '../account/batch.js';
import { isWanted, type LedgerPolicy } from '../account/ledger-policy.js';
import type { LineBudget } from '../account/line-budget.js';
import type { Outcome } from '../account/outcome.js';
import { type RequestText, recordLine } from '../account/record.js';
import { dayOf, nobody, type Usage, UsageTable, usageOf } from '../account/usage.js';
import { Channel } from '../control/channel.js';
import type { Poller } from '../os/poller.js';

/** How long a record waits for company: what a router that is killed can lose. */
const pauseMs = 100;
/** Lines that wait while the ledger is slow or being restarted. */
const waitingMaxBytes = 256 * 1024;
/** At its end the router waits so long for the last acknowledgement. */
const lastWordMs = 2000;

/** Whose lines they are. */
export interface LedgerSite {
  readonly id: number;
  readonly name: string;
  readonly config: LedgerPolicy;
  readonly records: LineBudget;
  /** So many lines have not been written since the last one that was. */
  linesLeftOut: number;
}

export class RouterLedger {
  readonly #poller: Poller;
  readonly #epoch = randomBytes(8).toString('hex');
  readonly #usage = new UsageTable();
  readonly #answer = Buffer.alloc(acknowledgementBytes + 1);
  #lines: BatchLine[] = [];
  #waitingBytes = 0;
  #sequence = 0;
  /** Sent, or to be sent again, and not yet acknowledged. */
  #inFlight: Buffer | undefined;
  #channel: Channel | undefined;
  #timer: NodeJS.Timeout | undefined;
  #finished: (() => void) | undefined;

  constructor(poller: Poller) {
    this.#poller = poller;
  }

  /** The master gives a new link to a new ledger; taken over. */
  connect(fd: number): void {
    this.#channel?.close();
    this.#channel = new Channel(this.#poller, fd, this.#answer, 4, {
      message: (bytes, length) => {
        if (length === acknowledgementBytes) this.#acknowledged(bytes.readUInt32LE(0));
      },
      ended: () => {
        this.#channel = undefined; // the master brings another one
      },
    });
    if (this.#inFlight !== undefined) this.#send(this.#inFlight);
  }

  /** Counts a request, and writes its line if the site wants one. */
  record(outcome: Outcome, site: LedgerSite | undefined, request: RequestText | undefined): void {
    const nowMs = Date.now();
    this.add(site?.name ?? nobody, usageOf(outcome));
    if (site !== undefined) this.write(outcome, site, request, nowMs);
  }

  /** Sums alone, of today. */
  add(site: string, usage: Usage): void {
    this.#usage.add(dayOf(Date.now()), site, usage);
    this.#wake();
  }

  /** The line alone, if the site wants one. */
  write(outcome: Outcome, site: LedgerSite, request: RequestText | undefined, timeMs: number): void {
    if (!isWanted(site.config, outcome, Math.random())) return;
    this.#line(site, 'requests', (leftOut) => recordLine(timeMs, outcome, request, leftOut));
    this.#wake();
  }

  /** A line of the site's slow log. */
  slow(site: LedgerSite, json: (leftOut: number) => string): void {
    this.#line(site, 'slow', json);
    this.#wake();
  }

  /** Nothing more will be recorded: calls back when everything is with the ledger, or when that takes too long. */
  finish(done: () => void): void {
    if (this.#finished !== undefined) return;
    this.#finished = done;
    setTimeout(done, lastWordMs);
    this.#flush();
    this.#endIfDone();
  }

  #line(site: LedgerSite, kind: keyof typeof fileKinds, compose: (leftOut: number) => string): void {
    const suppressed =
      this.#waitingBytes > waitingMaxBytes ? undefined : site.records.take(performance.now());
    if (suppressed === undefined) {
      site.linesLeftOut++;
      return;
    }
    const json = compose(site.linesLeftOut);
    site.linesLeftOut = 0;
    this.#lines.push({ site: site.id, kind: fileKinds[kind], json });
    this.#waitingBytes += json.length;
  }

  #wake(): void {
    if (this.#timer !== undefined || this.#inFlight !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, pauseMs);
  }

  #flush(): void {
    if (this.#inFlight !== undefined || (this.#usage.isEmpty && this.#lines.length === 0)) return;
    this.#sequence++;
    const batch = {
      epoch: this.#epoch,
      sequence: this.#sequence,
      usage: this.#usage.take(batchMaxRows),
      lines: this.#takeLines(),
    };
    this.#inFlight = Buffer.from(encodeBatch(batch));
    this.#send(this.#inFlight);
  }

  #takeLines(): BatchLine[] {
    let bytes = 0;
    let count = 0;
    for (const { json } of this.#lines) {
      bytes += Buffer.byteLength(json) + 16;
      if (bytes > batchMaxLineBytes) break;
      count++;
    }
    const taken = this.#lines.splice(0, count);
    for (const { json } of taken) this.#waitingBytes -= json.length;
    return taken;
  }

  #send(batch: Buffer): void {
    if (this.#channel?.send(batch, batch.length) === false) this.#channel = undefined;
  }

  #acknowledged(sequence: number): void {
    if (sequence !== this.#sequence) return;
    this.#inFlight = undefined;
    if (this.#finished !== undefined) this.#flush();
    else if (!this.#usage.isEmpty || this.#lines.length > 0) this.#wake();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#inFlight === undefined && this.#usage.isEmpty && this.#lines.length === 0) this.#finished?.();
  }
}
