/**
 * A site's secret: the web server sends it with every request, and it alone proves which site is meant.
 * After a rotation the old one stays good for a grace time, so that the web server can be told in peace.
 */

import { randomBytes } from 'node:crypto';
import type { Site } from './site.js';

/** 32 random bytes in hexadecimal. */
export function makeKey(): string {
  return randomBytes(32).toString('hex');
}

/** What a site gives up with `key_required = false`; said wherever it is switched off, and by every check. */
export function lostWithoutKey(name: string): string {
  return (
    `${name} asks for no key: whoever can make the web server send a request to guise, every tenant with an .htaccess ` +
    "among them, can run this site's scripts with parameters of his choice, REMOTE_USER and HTTPS included"
  );
}

export const defaultGraceMs = 24 * 3_600_000;

/** The keys of a site that are good at that moment; the current one first. */
export function keysAt(site: Pick<Site, 'keyring'>, nowMs: number): string[] {
  return site.keyring.filter((entry) => entry.untilMs > nowMs).map((entry) => entry.key);
}

export interface OldKey {
  readonly key: string;
  readonly until: Date;
}

export interface Rotated {
  readonly key: string;
  readonly old_keys: readonly OldKey[];
}

/** A new key; the old one joins those in grace, and those whose time is over are dropped. */
export function rotate(
  current: string | undefined,
  old: readonly OldKey[],
  graceMs: number,
  nowMs: number,
): Rotated {
  const inGrace = old.filter((entry) => entry.until.getTime() > nowMs);
  const retired =
    current === undefined || graceMs === 0 ? [] : [{ key: current, until: new Date(nowMs + graceMs) }];
  // The newest first, and no more than the schema takes.
  return { key: makeKey(), old_keys: [...retired, ...inGrace].slice(0, 10) };
}
