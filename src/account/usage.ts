/**
 * What sites have used, summed by day and site: the figures of `guise usage`. A day is one of UTC, that in which the
 * request ended.
 */

import type { Outcome } from './outcome.js';

/** The sums, in the order in which they travel (batch.ts). */
export const usageFields = [
  'requests',
  'refused',
  'bytesIn',
  'bytesOut',
  'cpuUs',
  'queueMs',
  'runMs',
  'maxRssKb',
] as const;
export type UsageField = (typeof usageFields)[number];
/** `maxRssKb` is the largest, everything else a sum. */
export type Usage = Record<UsageField, number>;

/** Requests that belong to no site are summed under this name. */
export const nobody = '-';

/** A worker's word is bounded, so that no sum ever stops being exact: 2^40 bytes, or microseconds, in one request. */
const mostOfOne = 2 ** 40;

export function noUsage(): Usage {
  return { requests: 0, refused: 0, bytesIn: 0, bytesOut: 0, cpuUs: 0, queueMs: 0, runMs: 0, maxRssKb: 0 };
}

export function addUsage(sum: Usage, more: Readonly<Usage>): void {
  sum.requests += more.requests;
  sum.refused += more.refused;
  sum.bytesIn = exact(sum.bytesIn + more.bytesIn);
  sum.bytesOut = exact(sum.bytesOut + more.bytesOut);
  sum.cpuUs = exact(sum.cpuUs + more.cpuUs);
  sum.queueMs = exact(sum.queueMs + more.queueMs);
  sum.runMs = exact(sum.runMs + more.runMs);
  sum.maxRssKb = Math.max(sum.maxRssKb, more.maxRssKb);
}

/** The largest number that is exact: above it a sum stays as it is, for the ledger takes no other. */
function exact(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}

export function usageOf(outcome: Outcome): Usage {
  return {
    requests: 1,
    refused: outcome.reason === '' ? 0 : 1,
    bytesIn: bounded(outcome.bytesIn),
    bytesOut: bounded(outcome.bytesOut),
    cpuUs: bounded(outcome.cpuUserUs + outcome.cpuSystemUs),
    queueMs: bounded(outcome.queueMs),
    runMs: bounded(outcome.runMs),
    maxRssKb: bounded(outcome.maxRssKb),
  };
}

function bounded(value: number): number {
  return Math.min(Math.max(0, Math.round(value)), mostOfOne);
}

const dayMs = 86_400_000;
let lastDay = Number.NaN;
let lastDayText = '';

/** `2026-11-24`, of UTC. Asked for every request, so the last answer is kept. */
export function dayOf(timeMs: number): string {
  const day = Math.floor(timeMs / dayMs);
  if (day === lastDay) return lastDayText;
  lastDayText = new Date(timeMs).toISOString().slice(0, 10);
  lastDay = day;
  return lastDayText;
}

/** Usage by day and site. */
export class UsageTable {
  readonly #days = new Map<string, Map<string, Usage>>();

  add(day: string, site: string, usage: Readonly<Usage>): void {
    const sites = this.#days.get(day) ?? new Map<string, Usage>();
    this.#days.set(day, sites);
    const sum = sites.get(site) ?? noUsage();
    addUsage(sum, usage);
    sites.set(site, sum);
  }

  get isEmpty(): boolean {
    return this.#days.size === 0;
  }

  get days(): string[] {
    return [...this.#days.keys()].sort();
  }

  sitesOf(day: string): ReadonlyMap<string, Usage> {
    return this.#days.get(day) ?? new Map();
  }

  /** Takes out at most `count` rows. */
  take(count: number): UsageRow[] {
    const rows: UsageRow[] = [];
    for (const [day, sites] of this.#days) {
      for (const [site, usage] of sites) {
        if (rows.length === count) return rows;
        rows.push({ day, site, usage });
        sites.delete(site);
      }
      this.#days.delete(day);
    }
    return rows;
  }
}

export interface UsageRow {
  readonly day: string;
  readonly site: string;
  readonly usage: Readonly<Usage>;
}
