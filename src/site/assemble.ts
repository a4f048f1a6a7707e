/**
 * A site as it is kept, from what its file says and what the system says about it. Thousands of them are kept, and
 * most say nothing but their name, root, user and key: what comes from the defaults is one object for all of them,
 * and no text is a piece of its file's text, which would keep all of that in memory.
 */

import { normalize } from 'node:path';
import type { UserEntry } from '../os/identity.js';
import type { LayeredSite } from './defaults.js';
import { isolationOf } from './isolation.js';
import { ownText } from './own-text.js';
import { processesOf } from './processes.js';
import { recordingOf } from './recording.js';
import { limitNames, type Site, type SiteLimitName } from './site.js';

export interface Resolved {
  readonly user: UserEntry;
  readonly realRoot: string;
  readonly trustedUids: readonly number[];
  readonly visitors: Readonly<Record<string, UserEntry>>;
  readonly file: string;
}

type Limits = Site['limits'];

const none: readonly never[] = [];
const nobody = {};
const limitsOfTable = new WeakMap<object, Limits>();

export function assemble(written: LayeredSite, resolved: Resolved): Site {
  const keyring = [
    ...(written.key === undefined ? [] : [{ key: ownText(written.key), untilMs: Number.POSITIVE_INFINITY }]),
    ...(written.old_keys ?? [])
      .map((old) => ({ key: ownText(old.key), untilMs: old.until.getTime() }))
      .filter((old) => old.untilMs > Date.now()),
  ];
  const root = ownText(normalize(written.root).replace(/(?<=.)\/+$/, ''));
  const { realRoot, trustedUids, visitors } = resolved;
  const aliases = written.aliases ?? none;
  return {
    name: ownText(written.name),
    aliases: aliases.length === 0 ? none : aliases.map(ownText),
    file: resolved.file,
    root,
    realRoot: realRoot === root ? root : ownText(realRoot),
    user: resolved.user,
    enabled: written.enabled ?? true,
    visitors: Object.keys(visitors).length === 0 ? nobody : visitors,
    mode: written.mode,
    socket: written.socket,
    dispatch: written.command === undefined ? written.dispatch : 'program',
    ...(written.command === undefined ? {} : { command: written.command }),
    php: written.php,
    keys: keyring.map((entry) => entry.key),
    keyring,
    keyRequired: written.key_required,
    maxWorkers: written.max_workers,
    maxRequests: written.max_requests,
    spare: written.spare,
    timeLimitMs: written.time_limit,
    idleTimeoutMs: written.idle_timeout,
    queueLength: written.queue_length,
    queueTimeoutMs: written.queue_timeout,
    maxBodyBytes: written.max_body,
    suffixes: written.suffixes,
    trustedOwners: written.trusted_owners,
    trustedUids: trustedUids.length === 0 ? none : trustedUids,
    env: written.env,
    phpIni: written.php_ini,
    umask: Number.parseInt(written.umask, 8),
    limits: limitsOf(written.limits),
    ...wearOf(written),
    ...isolationOf(written),
    ...recordingOf(written),
    ...processesOf(written),
  };
}

/** How its workers come and go beside those of others. */
function wearOf(
  written: LayeredSite,
): Pick<Site, 'maxMemoryBytes' | 'maxAgeMs' | 'quarantineAfter' | 'weight'> {
  const { max_memory, max_age, quarantine_after, weight } = written;
  return { maxMemoryBytes: max_memory, maxAgeMs: max_age, quarantineAfter: quarantine_after, weight };
}

/** The same for every site that has no table of its own. */
function limitsOf(written: LayeredSite['limits']): Limits {
  const known = limitsOfTable.get(written);
  if (known !== undefined) return known;
  const limits: Partial<Record<SiteLimitName, number>> = {};
  for (const name of limitNames) {
    const value = written[name];
    // RLIMIT_CPU counts whole seconds; the file has a duration, held in milliseconds.
    if (value !== undefined) limits[name] = name === 'cpu' ? Math.ceil(value / 1000) : value;
  }
  limitsOfTable.set(written, limits);
  return limits;
}
