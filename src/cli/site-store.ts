/**
 * Changes sites through the daemon, which applies them at once; without a daemon, in the files themselves,
 * with the same checks, and it says so.
 */

import type { Config } from '../config/config.js';
import type { SiteReport } from '../control/api.js';
import { type Ask, ask } from '../control/client.js';
import { GuiseError } from '../error.js';

export interface Outcome<T> {
  readonly result: T;
  /** Whether a daemon has applied it already. */
  readonly applied: boolean;
}

/** Asks the daemon, or does the work itself where none is running. Needs root then. */
export async function throughDaemon<T>(config: Config, question: Ask, alone: () => T): Promise<Outcome<T>> {
  try {
    return { result: await ask<T>(config, { timeoutMs: 120_000, ...question }), applied: true };
  } catch (thrown) {
    if (!(thrown instanceof GuiseError) || thrown.code !== 'NOT_RUNNING') throw thrown;
  }
  return { result: alone(), applied: false };
}

/** The site of a report that has one. */
export function siteOf(report: SiteReport): NonNullable<SiteReport['site']> {
  if (report.site === undefined) throw new GuiseError('BAD_REQUEST', 'the daemon answered without a site');
  return report.site;
}

export const notApplied = 'guise is not running: this takes effect when it starts.';
