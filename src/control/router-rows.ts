/**
 * Rows of many sites in few messages, for a router that knows none yet. Most sites differ in their name and key only,
 * so what rows have in common is said once. Pure.
 */

import type { RouterSite } from './router-messages.js';

export type RouterRow = readonly [id: number, site: RouterSite];

type OwnKey = 'name' | 'aliases' | 'keyHashes' | 'visitors' | 'isHidden' | 'uid';
type Own = Pick<RouterSite, OwnKey>;
type Terms = Omit<RouterSite, OwnKey>;

/** Of the message `sites`. */
export interface RouterSites {
  readonly terms: readonly Terms[];
  /** The site's number, which of the terms hold for it, and what is its own where there is anything. */
  readonly rows: readonly (readonly [
    id: number,
    terms: number,
    own: Partial<Own> & Pick<Own, 'name' | 'uid'>,
  ])[];
}

/** What a message of rows should not exceed: one that does holds a single row, which may be as large as a row can be. */
const packageBytes = 64 * 1024;

/** Rows in portions, each for one message, in their order. */
export function* inPortions(rows: Iterable<RouterRow>): Generator<readonly RouterRow[]> {
  let portion: RouterRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = Buffer.byteLength(JSON.stringify(row));
    if (portion.length > 0 && bytes + size > packageBytes) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(row);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

export function packRows(rows: readonly RouterRow[]): RouterSites {
  const places = new Map<string, number>();
  const terms: Terms[] = [];
  const packed = rows.map(([id, site]) => {
    const { name, aliases, keyHashes, visitors, isHidden, uid, ...common } = site;
    const text = JSON.stringify(common);
    const place = places.get(text) ?? terms.push(common) - 1;
    places.set(text, place);
    const own = {
      name,
      uid,
      ...(aliases.length === 0 ? {} : { aliases }),
      ...(keyHashes.length === 0 ? {} : { keyHashes }),
      ...(Object.keys(visitors).length === 0 ? {} : { visitors }),
      ...(isHidden ? { isHidden } : {}),
    };
    return [id, place, own] as const;
  });
  return { terms, rows: packed };
}

const nothing: Omit<Own, 'name' | 'uid'> = { aliases: [], keyHashes: [], visitors: {}, isHidden: false };

/** What sites have in common stays one object: each site has its own on top of it, by inheritance. */
export function unpackRows({ terms, rows }: RouterSites): RouterRow[] {
  const shared = terms.map((common) => ({ ...nothing, ...common }));
  return rows.map(([id, place, own]) => {
    const common = shared[place];
    // Written by the master a moment ago: anything else is a bug of ours.
    if (common === undefined) throw new Error(`a row with the terms ${place} of ${terms.length}`);
    return [id, Object.setPrototypeOf(own, common) as RouterSite];
  });
}
