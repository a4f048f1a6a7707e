/**
 * Whether a directory may be a site by itself, and as whom it runs: as its owner. Privilege: root. A name from a
 * request reaches this file, as one short component that must consist of letters, digits and a few signs; no
 * tenant can write where it is looked up.
 */

import { createHash } from 'node:crypto';
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { RouterAuto } from '../control/router-messages.js';
import { GuiseError } from '../error.js';
import { userByUid } from '../os/identity.js';
import { type AutoMatch, type AutoPattern, autoDirectory, autoSiteName, isAutoName } from '../site/auto.js';
import { layer } from '../site/defaults.js';
import { recordingOf } from '../site/recording.js';
import type { Site } from '../site/site.js';
import { checkAgainstSystem, type Origin } from '../site/system.js';

/** @throws GuiseError SITE_INVALID with what is wrong with the directory or its owner */
export function automaticSite(config: Config, patterns: readonly AutoPattern[], match: AutoMatch): Site {
  const pattern = patterns[match.pattern];
  if (pattern === undefined || !isAutoName(match.name)) throw refused('the name of no site', match.name);
  const home = `${pattern.before}${match.name}`;
  const directory = autoDirectory(pattern, match.name);
  const owner = ownerOf(home, directory, pattern.before);
  const user = userByUid(owner);
  if (user === undefined) throw refused(`its owner, uid ${owner}, is no user of this system`, directory);
  const written = { name: autoSiteName(match), root: directory, user: user.name };
  const site = checkAgainstSystem(
    config,
    { ...layer(written, config.defaults), ...automatic },
    origin(config),
  );
  if (!Array.isArray(site)) return site;
  throw refused(site.map(({ message, found }) => `${message} (${found})`).join('; '), directory);
}

/** The key is that of all automatic sites, and there is no socket for a site that nobody has set up. */
const automatic = { key_required: false, socket: 'shared', dispatch: 'router' } as const;

function origin(config: Config): Origin {
  return { file: config.file, places: new Map() };
}

/** No link leads out of the matched directory, and nobody but root and the owner can replace any part of the way. */
function ownerOf(home: string, directory: string, parent: string): number {
  try {
    const real = realpathSync(home);
    const inside = realpathSync(directory);
    if (lstatSync(home).isSymbolicLink() || real !== `${realpathSync(parent)}/${home.slice(parent.length)}`) {
      throw refused('a symbolic link', home);
    }
    if (inside !== real && !inside.startsWith(`${real}/`)) throw refused(`a link to ${inside}`, directory);
    const { uid } = statSync(inside);
    for (const stats of [statSync(parent), statSync(real), statSync(inside)])
      checkStats(stats, uid, directory);
    return uid;
  } catch (thrown) {
    if (thrown instanceof GuiseError) throw thrown;
    throw refused((thrown as NodeJS.ErrnoException).code ?? String(thrown), directory);
  }
}

function checkStats(stats: Stats, owner: number, directory: string): void {
  const mode = (stats.mode & 0o7777).toString(8);
  if (!stats.isDirectory()) throw refused('not a directory', directory);
  if (stats.uid !== 0 && stats.uid !== owner)
    throw refused(`a part of the way belongs to uid ${stats.uid}`, directory);
  if ((stats.mode & 0o002) !== 0)
    throw refused(`a part of the way has mode ${mode}, writable by all`, directory);
}

function refused(found: string, directory: string): GuiseError {
  return new GuiseError('SITE_INVALID', `${directory} is no automatic site: found ${found}`, {
    file: directory,
  });
}

/** What the router learns: the patterns, and what holds for every automatic site. */
export function routerAuto(config: Config, auto: NonNullable<Config['auto']>): RouterAuto {
  const shared = { ...layer({ name: 'auto', root: '/', user: '' }, config.defaults), ...automatic };
  return {
    roots: auto.roots,
    site: {
      name: 'auto',
      aliases: [],
      keyHashes: [createHash('sha256').update(auto.key).digest('hex')],
      keyRequired: true,
      visitors: {},
      isHidden: true,
      mode: shared.mode,
      ownSocket: false,
      maxWorkers: shared.max_workers,
      maxRequests: shared.max_requests,
      spare: shared.spare,
      timeLimitMs: shared.time_limit,
      onDisconnect: shared.on_disconnect,
      idleTimeoutMs: shared.idle_timeout,
      queueLength: shared.queue_length,
      queueTimeoutMs: shared.queue_timeout,
      maxBodyBytes: shared.max_body,
      uid: 0,
      ...recordingOf(shared),
      ledgerLinesPerSecond: config.ledger.linesPerSecond,
    },
  };
}
