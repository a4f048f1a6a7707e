/** Turns a plan into sites: each is checked as `guise site add` does; what is wrong with one stops no other. */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { formatFinding } from '../config/problem.js';
import type { SiteReport } from '../control/api.js';
import { GuiseError } from '../error.js';
import { Claims } from '../site/claims.js';
import { composeSite, type Table } from '../site/compose.js';
import { makeKey } from '../site/key.js';
import { checkSiteText } from '../site/read.js';
import { readSites } from '../site/registry.js';
import type { Fate, Plan, PlannedSite } from './plan.js';

export interface ImportedSite {
  readonly source: string;
  readonly name?: string;
  /** The file as it is or would be, without the key. */
  readonly text?: string;
  readonly written: boolean;
  /** Why there is no such site, in words; empty where there is. */
  readonly problems: readonly string[];
  readonly fates: readonly Fate[];
}

export interface Imported {
  readonly ok: boolean;
  readonly sites: readonly ImportedSite[];
  readonly fates: readonly Fate[];
}

/** @param write adds the site; absent: only look */
export async function carryOut(
  config: Config,
  plan: Plan,
  write: ((table: Table) => Promise<SiteReport>) | undefined,
): Promise<Imported> {
  const owners = new Claims();
  for (const site of readSites(config).sites) owners.add(site);
  const sites: ImportedSite[] = [];
  for (const one of plan.sites) sites.push(await carryOutOne(config, one, owners, write));
  return { ok: sites.every(({ problems }) => problems.length === 0), sites, fates: plan.fates };
}

async function carryOutOne(
  config: Config,
  { source, table, missing, fates }: PlannedSite,
  owners: Claims,
  write: ((table: Table) => Promise<SiteReport>) | undefined,
): Promise<ImportedSite> {
  if (table === undefined)
    return {
      source,
      written: false,
      problems: missing.map((words) => `there is no ${words}`.replace('no a ', 'no ')),
      fates,
    };
  const name = typeof table.name === 'string' ? table.name : '';
  const base = { source, name, text: composeSite(table), fates };
  const file = join(config.paths.sites, `${name}.toml`);
  const reading = checkSiteText(config, file, composeSite({ ...table, key: makeKey() }));
  if ('parked' in reading)
    return { ...base, written: false, problems: reading.parked.problems.map(formatFinding) };
  const taken = owners.problems(reading.site);
  if (taken.length > 0) return { ...base, written: false, problems: taken.map(formatFinding) };
  owners.add(reading.site);
  if (write === undefined) return { ...base, written: false, problems: [] };
  try {
    await write(table);
    return { ...base, written: true, problems: [] };
  } catch (thrown) {
    if (!(thrown instanceof GuiseError)) throw thrown;
    return { ...base, written: false, problems: [thrown.message] };
  }
}
