/**
 * What an import makes of another program's configuration: sites, and for every line that was read what became of it.
 * Nothing is lost in silence: a line has a fate, or the import is wrong.
 */

import type { Table } from '../site/compose.js';

/** `taken`: as it was. `changed`: in other words, or as something like it. `left`: guise has nothing for it. */
export type FateKind = 'taken' | 'changed' | 'left';

export interface Fate {
  readonly file: string;
  readonly line: number;
  /** The line, shortened. */
  readonly text: string;
  readonly kind: FateKind;
  /** What became of it, or why nothing did. */
  readonly note: string;
}

/** A site as it would be written: keys of its file, without the secret. */
export interface PlannedSite {
  /** Where it comes from: the pool, or the virtual host. */
  readonly source: string;
  /** Absent where what a site needs was not there. */
  readonly table?: Table;
  /** What is missing, in words. */
  readonly missing: readonly string[];
  readonly fates: readonly Fate[];
}

export interface Plan {
  readonly sites: readonly PlannedSite[];
  /** Lines that belong to no site. */
  readonly fates: readonly Fate[];
}

/** A site's table as far as everything that it needs is there. */
export function planned(
  source: string,
  keys: Readonly<Record<string, unknown>>,
  fates: readonly Fate[],
): PlannedSite {
  const needed: readonly (readonly [string, string])[] = [
    ['name', 'a host name'],
    ['root', 'a document root (--root, or a web server that names one)'],
    ['user', 'a user'],
  ];
  const missing = needed.filter(([key]) => keys[key] === undefined).map(([, words]) => words);
  const table = Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
  return missing.length > 0 ? { source, missing, fates } : { source, missing, fates, table };
}
