/**
 * Which site has which name and which key. No two sites may share one, and who has it is found without looking at all
 * of them: a site is added to thousands in the time that it takes to add it to none.
 */

import { locateKeys, type Path, placeOf } from '../config/locate.js';
import type { Problem } from '../config/problem.js';
import { readTomlFile } from '../config/toml-file.js';
import type { Site } from './site.js';

interface Claim {
  readonly owner: Site;
  readonly path: Path;
  readonly what: string;
}

export class Claims {
  /** By name and alias. */
  readonly #names = new Map<string, Site>();
  readonly #keys = new Map<string, Site>();

  add(site: Site): void {
    for (const name of [site.name, ...site.aliases]) this.#names.set(name, site);
    for (const key of site.keys) this.#keys.set(key, site);
  }

  remove(site: Site): void {
    for (const name of [site.name, ...site.aliases]) forget(this.#names, name, site);
    for (const key of site.keys) forget(this.#keys, key, site);
  }

  /** The site with this name or alias. */
  named(name: string): Site | undefined {
    return this.#names.get(name);
  }

  /** The other sites that have something that this one claims: those of the same file are not others. */
  rivals(site: Site): Site[] {
    return this.#taken(site).map(({ owner }) => owner);
  }

  /** A problem for everything of the site that another one has already. */
  problems(site: Site): Problem[] {
    const taken = this.#taken(site);
    if (taken.length === 0) return [];
    // Read once more for the lines alone; the file was good a moment ago.
    const reading = readTomlFile(site.file);
    const places = 'toml' in reading ? reading.toml.places : locateKeys('');
    return taken.map(({ path, what, owner }) => ({
      file: site.file,
      line: placeOf(places, path).line,
      message: `another site has ${what} already`,
      found: `it is in ${owner.file} too`,
      expected: 'names, aliases and keys that no other site has',
      remedy: `change one of the two; until then ${owner.file} has it, being first by file name`,
    }));
  }

  #taken(site: Site): Claim[] {
    const claims: Claim[] = [];
    const claim = (owner: Site | undefined, path: Path, what: string): void => {
      if (owner !== undefined && owner.file !== site.file) claims.push({ owner, path, what });
    };
    const named = (name: string): string => `the name ${JSON.stringify(name)}`;
    claim(this.#names.get(site.name), ['name'], named(site.name));
    for (const [index, alias] of site.aliases.entries())
      claim(this.#names.get(alias), ['aliases', index], named(alias));
    for (const [index, key] of site.keys.entries())
      claim(this.#keys.get(key), [index === 0 ? 'key' : 'old_keys'], 'the same key');
    return claims;
  }
}

function forget(owners: Map<string, Site>, claimed: string, site: Site): void {
  if (owners.get(claimed) === site) owners.delete(claimed);
}
