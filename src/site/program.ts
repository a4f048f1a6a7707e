/**
 * Sites that are not PHP: `command` names a FastCGI program. What their files may not say, and whether the program can
 * be started by the site's user.
 */

import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.js';
import { placeOf } from '../config/locate.js';
import type { Finding, Problem } from '../config/problem.js';
import { errorCode, formatMode, quoteShell, type TomlFile } from '../config/toml-file.js';
import type { UserEntry } from '../os/identity.js';
import type { LayeredSite } from './defaults.js';

/** Keys that are about PHP, or about requests that guise itself reads. */
export const keysForPhpOnly = [
  ...['php', 'php_ini', 'mode', 'dispatch', 'suffixes', 'visitors', 'key', 'old_keys', 'key_required'],
  ...['max_requests', 'max_body', 'spare', 'queue_length', 'queue_timeout'],
  ...['ledger', 'ledger_sample', 'ledger_slower_than', 'slow_after'],
] as const;

/** A problem for every key of the file that would be without effect, or would promise what nobody keeps. */
export function keysOfPhp({ file, raw, places }: Pick<TomlFile, 'file' | 'raw' | 'places'>): Problem[] {
  const problem = (key: string, message: string, expected: string, remedy: string): Problem => {
    return { file, line: placeOf(places, [key]).line, message, found: key, expected, remedy };
  };
  const idle = keysForPhpOnly
    .filter((key) => raw[key] !== undefined)
    .map((key) =>
      problem(
        key,
        `${key} means nothing for a site with a command: guise does not read its requests`,
        'a file without this key',
        `remove the line with ${key}`,
      ),
    );
  if (raw.socket !== 'shared') return idle;
  const message = 'a site with a command is on a socket of its own, for the web server talks to the program';
  return [...idle, problem('socket', message, 'socket = "own"', 'remove the line with socket')];
}

/** What `command` decides about the rest. */
export function withProgram(written: LayeredSite): LayeredSite {
  if (written.command === undefined) return written;
  return { ...written, socket: 'own', key_required: false, visitors: {} };
}

/** What keeps this file from being started by the site's user; undefined: nothing. */
export function checkProgram(file: string, user: UserEntry): Finding | undefined {
  const expected = `a program that ${user.name} can execute`;
  let real: string;
  let stats: Stats;
  try {
    real = realpathSync(file);
    stats = statSync(real);
  } catch (thrown) {
    const code = errorCode(thrown) ?? String(thrown);
    const message =
      code === 'ENOENT' ? `there is no program at ${file}` : `the program ${file} cannot be reached`;
    return { message, found: code, expected, remedy: `ls -l ${quoteShell(file)}` };
  }
  const closed = directoriesOf(real).find((directory) => !mayExecute(statSync(directory), user));
  if (closed !== undefined) {
    const message = `${user.name} cannot reach the program ${file}`;
    const found = `${closed}: ${described(statSync(closed))}`;
    return { message, found, expected, remedy: `chmod a+x ${quoteShell(closed)}` };
  }
  if (!stats.isFile() || !mayExecute(stats, user)) {
    const message = `${user.name} cannot execute ${file}`;
    return { message, found: described(stats), expected, remedy: `chmod 755 ${quoteShell(real)}` };
  }
  const isSafe = stats.uid === 0 || stats.uid === user.uid;
  const mayGroupWrite = (stats.mode & 0o020) !== 0 && stats.gid !== 0 && stats.gid !== user.gid;
  if (isSafe && (stats.mode & 0o002) === 0 && !mayGroupWrite) return undefined;
  return {
    message: `the program ${file} can be changed by somebody who is neither root nor the site's user`,
    found: described(stats),
    expected: 'owner root, mode 0755',
    remedy: `chown root ${quoteShell(real)} && chmod 755 ${quoteShell(real)}`,
  };
}

/** A file can belong to one user only, and behind a program's socket nobody asks who the peer is. */
export function checkWebUsers({ file, router }: Config): Finding | undefined {
  const others = router.webUsers.filter((name) => name !== 'root');
  if (others.length <= 1) return undefined;
  return {
    message: 'the socket of a program can be opened to one web user only, beside root',
    found: `web_users = ${JSON.stringify(router.webUsers)} in ${file}`,
    expected: 'one user',
    remedy: 'run the web servers as one user, and name it alone under [router] web_users',
  };
}

function described(stats: Stats): string {
  return `owner uid ${stats.uid}, group ${stats.gid}, mode ${formatMode(stats.mode)}`;
}

function directoriesOf(path: string): string[] {
  const directories: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    directories.unshift(at);
    if (at === '/') return directories;
  }
}

/** The one class of mode bits that counts for this user, path_resolution(7). Root has no site. */
function mayExecute({ uid, gid, mode }: Stats, user: UserEntry): boolean {
  if (uid === user.uid) return (mode & 0o100) !== 0;
  const isMember = gid === user.gid || user.groups.includes(gid);
  return (mode & (isMember ? 0o010 : 0o001)) !== 0;
}
