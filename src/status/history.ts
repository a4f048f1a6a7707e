/**
 * What the status application has seen of the daemon, for lines and for figures of the last minute: bounded, and gone
 * with the process. Pure: times are arguments.
 */

import { stepCount } from '../account/histogram.js';
import type { SiteStatus, StatusReport } from '../control/api.js';
import { countsOf, type FiguresReport } from '../control/figures-report.js';

/** Looks that are kept, and how far apart at least. */
const mostLooks = 60;
const apartMs = 2000;
/** What "now" means for rates and percentiles. */
const windowMs = 60_000;
/** Sites with lines of their own; the lines of the machine are about all. */
const mostSites = 1000;

interface Sums {
  readonly requests: number;
  readonly errors: number;
  readonly cpuMs: number;
  readonly runSteps: Float64Array;
}

interface Look {
  readonly atMs: number;
  readonly machine: Sums;
  readonly busy: number;
  readonly sites: ReadonlyMap<string, Sums>;
}

/** What happened lately. */
export interface Lately {
  readonly perSecond: number;
  readonly errors: number;
  /** Of one processor: 1 is all of it. */
  readonly cpu: number;
  readonly runSteps: Float64Array;
  readonly overMs: number;
  /** Requests per second between looks, oldest first. */
  readonly line: readonly number[];
}

const nothing: Sums = { requests: 0, errors: 0, cpuMs: 0, runSteps: new Float64Array(stepCount) };

export class History {
  #looks: Look[] = [];

  /** Takes in a report. One that follows closely on another takes its place. */
  add(report: StatusReport, nowMs: number): void {
    const look = lookAt(report, nowMs);
    const first = this.#looks.at(-1);
    // The daemon has been started again: its counts begin anew.
    if (first !== undefined && look.machine.requests < first.machine.requests) this.#looks = [];
    const before = this.#looks.at(-2);
    if (before !== undefined && nowMs - before.atMs < apartMs) this.#looks.pop();
    this.#looks.push(look);
    if (this.#looks.length > mostLooks) this.#looks.shift();
  }

  /** Of all sites together. */
  machine(report: StatusReport): Lately {
    return this.#lately(report, ({ machine }) => machine);
  }

  site(report: StatusReport, name: string): Lately {
    return this.#lately(report, ({ sites }) => sites.get(name) ?? nothing);
  }

  /** Busy workers at each look, oldest first. */
  get busy(): readonly number[] {
    return this.#looks.map(({ busy }) => busy);
  }

  #lately(report: StatusReport, of: (look: Look) => Sums): Lately {
    const last = this.#looks.at(-1);
    if (last === undefined)
      return { perSecond: 0, errors: 0, cpu: 0, runSteps: nothing.runSteps, overMs: 0, line: [] };
    const base = this.#looks.find(({ atMs }) => atMs >= last.atMs - windowMs);
    // With one look alone, the time since the daemon's start is all that there is; and that may be the last minute itself.
    const isAlone = base === undefined || base === last || report.uptimeMs <= windowMs;
    const from = isAlone ? nothing : of(base);
    const overMs = Math.max(1, isAlone ? report.uptimeMs : last.atMs - base.atMs);
    const to = of(last);
    return {
      perSecond: (Math.max(0, to.requests - from.requests) * 1000) / overMs,
      errors: Math.max(0, to.errors - from.errors),
      cpu: Math.max(0, to.cpuMs - from.cpuMs) / overMs,
      runSteps: to.runSteps.map((count, i) => Math.max(0, count - (from.runSteps[i] ?? 0))),
      overMs,
      line: this.#looks.slice(1).map((look, i) => rateBetween(this.#looks[i], look, of)),
    };
  }
}

function rateBetween(before: Look | undefined, look: Look, of: (look: Look) => Sums): number {
  if (before === undefined) return 0;
  const requests = Math.max(0, of(look).requests - of(before).requests);
  return (requests * 1000) / Math.max(1, look.atMs - before.atMs);
}

function lookAt(report: StatusReport, atMs: number): Look {
  const sites = new Map<string, Sums>();
  const used = report.sites.filter(({ lastRequestAt }) => lastRequestAt !== undefined);
  for (const site of used.slice(0, mostSites)) sites.set(site.name, sumsOf(site, sites.get(site.name)));
  const machine = report.totals === undefined ? nothing : sumsOf(report.totals);
  return { atMs, machine, busy: report.totals?.workers.busy ?? 0, sites };
}

/** A site that has just changed has two rows. */
function sumsOf(site: FiguresReport | SiteStatus, more: Sums = nothing): Sums {
  const { served, refused, crashed, cpu, runTime } = site;
  const errors = refused + crashed;
  return {
    requests: served + errors + more.requests,
    errors: errors + more.errors,
    cpuMs: cpu.userMs + cpu.systemMs + more.cpuMs,
    runSteps: countsOf(runTime).map((count, i) => count + (more.runSteps[i] ?? 0)),
  };
}
