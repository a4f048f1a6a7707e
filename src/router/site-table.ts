/**
 * All sites of the router, and which of them a request belongs to. A question for its tables only: nothing of a
 * request but its head is looked at, and keys are compared in identify.ts.
 */

import type { RouterAuto } from '../control/router-messages.js';
import type { Head } from '../request/head.js';
import { type NotIdentified, SiteIndex } from '../site/identify.js';
import { AutoSites } from './auto.js';
import type { Connection } from './connection.js';
import type { RoutedSite } from './routed-site.js';

export class SiteTable {
  /** Those that new requests reach by key or name. */
  readonly #open = new SiteIndex<RoutedSite>();
  readonly byId = new Map<number, RoutedSite>();
  readonly auto: AutoSites | undefined;
  /** Sites that are reached through another one's `visitors`, by name. */
  readonly #hidden = new Map<string, RoutedSite>();

  constructor(auto: RouterAuto | undefined) {
    if (auto === undefined) return;
    this.auto = new AutoSites(auto);
    this.#open.add(this.auto.group);
  }

  add(site: RoutedSite): void {
    this.byId.set(site.id, site);
    this.open(site);
  }

  /** New requests reach it. */
  open(site: RoutedSite): void {
    if (site.config.isHidden) this.#hidden.set(site.name, site);
    else this.#open.add(site);
  }

  /** New requests do not reach it any more. */
  close(site: RoutedSite): void {
    this.#open.remove(site);
    if (this.#hidden.get(site.name) === site) this.#hidden.delete(site.name);
  }

  /** By the key alone, or by whose socket it came in on (`owner`). */
  identify(head: Head, owner: RoutedSite | undefined, demandsKey: boolean): RoutedSite | NotIdentified {
    return this.#open.identify(head, owner, demandsKey);
  }

  /** The site whose own socket a connection came in on: a kept one may be older than the site's present form. */
  ownerOf(connection: Connection): RoutedSite | undefined {
    const owner = this.byId.get(connection.listenerSite);
    if (connection.listenerSite === 0 || owner?.isClosing === false) return owner;
    const present = this.#openNamed(connection.listenerName);
    if (present !== undefined) connection.listenerSite = present.id;
    return present;
  }

  #openNamed(name: string | undefined): RoutedSite | undefined {
    const site = name === undefined ? undefined : (this.#open.called(name) ?? this.#hidden.get(name));
    return site?.isClosing === true ? undefined : site;
  }

  /** The key has said that it is one of the automatic sites; where the script lies says which. */
  automatic(head: Head): RoutedSite | undefined {
    const found = this.auto?.siteFor(head);
    if (found?.isNew === true) this.byId.set(found.site.id, found.site);
    return found?.site;
  }

  /** Some authenticated visitors run as other users than the rest; never as the site's own instead. */
  forVisitor(site: RoutedSite, head: Head): RoutedSite | undefined {
    const { visitors } = site.config;
    const { remoteUser } = head;
    if (remoteUser === undefined || !Object.hasOwn(visitors, remoteUser)) return site;
    return this.#hidden.get(visitors[remoteUser] ?? '');
  }

  /** A site may have changed while its request was being read, or an automatic one been forgotten. */
  present(site: RoutedSite, head: Head): RoutedSite {
    if (this.byId.get(site.id) === site && !site.isClosing) return site;
    return (site.auto === undefined ? this.#openNamed(site.name) : this.automatic(head)) ?? site;
  }
}
