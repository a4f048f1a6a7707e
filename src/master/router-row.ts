/** A site's row of the router's table. */

import { createHash } from 'node:crypto';
import type { RouterDirectSite, RouterSite } from '../control/router-messages.js';
import { isForVisitors, nameForUser, type Site } from '../site/site.js';

/** The keys that a site accepts now, as digests: the router never learns a key that nobody has shown to it. */
export function keyHashes(site: Site): string[] {
  const nowMs = Date.now();
  return site.keyring
    .filter(({ untilMs }) => untilMs > nowMs)
    .map(({ key }) => createHash('sha256').update(key).digest('hex'));
}

/** What the router learns of a site: its user's number, no path, and keys only as digests. */
export function routerSite(site: Site, linesPerSecond: number): RouterSite {
  return {
    name: site.name,
    aliases: site.aliases,
    keyHashes: keyHashes(site),
    keyRequired: site.keyRequired,
    visitors: Object.fromEntries(
      Object.entries(site.visitors).map(([visitor, user]) => [visitor, nameForUser(site, user)]),
    ),
    isHidden: isForVisitors(site),
    mode: site.mode,
    ownSocket: site.socket === 'own',
    maxWorkers: site.maxWorkers,
    maxRequests: site.maxRequests,
    spare: site.spare,
    timeLimitMs: site.timeLimitMs,
    onDisconnect: site.onDisconnect,
    idleTimeoutMs: site.idleTimeoutMs,
    queueLength: site.queueLength,
    queueTimeoutMs: site.queueTimeoutMs,
    maxBodyBytes: site.maxBodyBytes,
    uid: site.user.uid,
    ledger: site.ledger,
    ledgerSample: site.ledgerSample,
    ledgerSlowerThanMs: site.ledgerSlowerThanMs,
    slowAfterMs: site.slowAfterMs,
    ledgerLinesPerSecond: linesPerSecond,
  };
}

/** What the router learns of a site whose requests it does not take: enough for its ledger. */
export function directSite(site: Site, linesPerSecond: number): RouterDirectSite {
  return {
    name: site.name,
    uid: site.user.uid,
    slots: site.maxWorkers,
    slowAfterMs: site.slowAfterMs,
    ledger: site.ledger,
    ledgerSample: site.ledgerSample,
    ledgerSlowerThanMs: site.ledgerSlowerThanMs,
    ledgerLinesPerSecond: linesPerSecond,
  };
}
