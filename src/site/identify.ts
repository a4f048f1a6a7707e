/**
 * Which site a request belongs to. The only proof is a site's key; a name (GUISE_SITE, SERVER_NAME) can be set by
 * any tenant's .htaccess, and counts only for sites that say they want no key, or to tell a wrong key from a missing
 * one in the log. Keys are compared as digests in a hash table, so that time tells nothing about them.
 */

import { hash } from 'node:crypto';
import type { Head } from '../request/head.js';

export interface Identifiable {
  readonly name: string;
  readonly aliases: readonly string[];
  /** SHA-256 in hexadecimal of each key that is accepted. */
  readonly keyHashes: readonly string[];
  readonly keyRequired: boolean;
}

/** `no-key`, `wrong-key` and `other-key` are attacks or mistakes of configuration; `no-site` is a name nobody has. */
export type NotIdentified = 'no-key' | 'wrong-key' | 'other-key' | 'no-site';

export class SiteIndex<T extends Identifiable> {
  readonly #byKey = new Map<string, T>();
  readonly #byName = new Map<string, T>();

  add(site: T): void {
    for (const hash of site.keyHashes) this.#byKey.set(hash, site);
    for (const name of [site.name, ...site.aliases]) this.#byName.set(name, site);
  }

  /** A later site may have taken over a name or a key; that one stays. */
  remove(site: T): void {
    for (const hash of site.keyHashes) if (this.#byKey.get(hash) === site) this.#byKey.delete(hash);
    for (const name of [site.name, ...site.aliases]) {
      if (this.#byName.get(name) === site) this.#byName.delete(name);
    }
  }

  /** The site that has this as its own name, not as an alias. */
  called(name: string): T | undefined {
    const site = this.#byName.get(name);
    return site?.name === name ? site : undefined;
  }

  /**
   * @param head the request's parameters, key included
   * @param owner the site whose own socket the request came in on
   * @param demandsKey nobody is taken at his word, whatever the site says
   */
  identify(head: Head, owner: T | undefined, demandsKey: boolean): T | NotIdentified {
    const { key } = head;
    if (key !== undefined) {
      const site = this.#byKey.get(digest(key));
      if (site === undefined) return 'wrong-key';
      return owner === undefined || owner === site ? site : 'other-key';
    }
    const site = owner ?? this.#named(head);
    if (site === undefined) return 'no-site';
    return site.keyRequired || demandsKey ? 'no-key' : site;
  }

  #named(head: Head): T | undefined {
    const { site, serverName } = head;
    if (site !== undefined) return this.#byName.get(site.toLowerCase());
    return serverName === undefined ? undefined : this.#byName.get(withoutPort(serverName).toLowerCase());
  }
}

function digest(key: Uint8Array): string {
  return hash('sha256', key, 'hex');
}

/** HAProxy sends SERVER_NAME with the port. */
function withoutPort(name: string): string {
  return name.replace(/:[0-9]+$/, '');
}
