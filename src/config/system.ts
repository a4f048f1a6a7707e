/** Checks what guise.toml says against the system: its users and groups, its directory of sites, the length of its paths. */

import { statSync } from 'node:fs';
import { groupByName, userByName } from '../os/identity.js';
import { siteSocketPath } from '../site/site.js';
import type { Config } from './config.js';
import { type Path, type Places, placeOf } from './locate.js';
import type { Finding, Problem } from './problem.js';
import { checkRootDirectory, type Tolerance } from './root-directory.js';
import { formatMode, isTrustedOwner, quoteShell } from './toml-file.js';

/** The longest path that fits into a Unix socket's address with its final NUL (unix(7): sun_path has 108 bytes). */
export const longestSocketPath = 107;

export function checkSystem(config: Config, places: Places): Problem[] {
  const checks: readonly (readonly [Path, Finding | undefined])[] = [
    [['router', 'user'], checkRouterUser(config.router.user)],
    ...config.router.webUsers.map(
      (name, index) => [['router', 'web_users', index], checkWebUser(name)] as const,
    ),
    [['control', 'group'], checkGroup(config.control.group)],
    [['paths', 'run'], checkRunPath(config.paths.run) ?? checkRootDirectory(config.paths.run)],
    [['paths', 'state'], checkRootDirectory(config.paths.state)],
    [['paths', 'log'], checkRootDirectory(config.paths.log, logTolerance(config))],
    [['paths', 'sites'], checkSitesDirectory(config.paths.sites) ?? checkRootDirectory(config.paths.sites)],
  ];
  return checks.flatMap(([path, finding]) =>
    finding === undefined ? [] : [{ file: config.file, line: placeOf(places, path).line, ...finding }],
  );
}

/** Some distributions give /var/log to a group of the system; a group below the floor is no site's own. */
export function logTolerance(config: Config): Tolerance {
  return { groupsBelow: config.minGid };
}

function checkRouterUser(name: string): Finding | undefined {
  const user = userByName(name);
  if (user === undefined) {
    return {
      message: `the router's user ${JSON.stringify(name)} does not exist`,
      found: name,
      expected: 'a user of this system that owns nothing',
      remedy: `useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ${quoteShell(name)}`,
    };
  }
  if (user.uid !== 0 && user.gid !== 0 && !user.groups.includes(0)) return undefined;
  return {
    message: 'the router reads what strangers send and must not run as root or in its group',
    found: name,
    expected: 'an unprivileged user',
    remedy: 'leave the line out for user = "guise"',
  };
}

function checkWebUser(name: string): Finding | undefined {
  if (userByName(name) !== undefined) return undefined;
  return {
    message: `the web server's user ${JSON.stringify(name)} does not exist`,
    found: name,
    expected: 'the user that the web server runs as',
    remedy: 'look for it with: ps -eo user,args | grep -E "apache2|httpd|nginx|lighttpd"',
  };
}

function checkGroup(name: string | undefined): Finding | undefined {
  if (name === undefined || groupByName(name) !== undefined) return undefined;
  return {
    message: `the group ${JSON.stringify(name)} does not exist`,
    found: name,
    expected: 'a group of this system',
    remedy: `groupadd --system ${quoteShell(name)}`,
  };
}

/** Even the shortest name of a site must fit behind it. */
function checkRunPath(run: string): Finding | undefined {
  const excess = Buffer.byteLength(siteSocketPath(run, 'x')) - longestSocketPath;
  if (excess <= 0) return undefined;
  return {
    message: 'the path is too long for the address of a socket',
    found: `${run} (${Buffer.byteLength(run)} bytes)`,
    expected: `a path of at most ${Buffer.byteLength(run) - excess} bytes`,
    remedy: 'use a shorter path, for example run = "/run/guise"',
  };
}

/** Whoever can write to the directory of sites can add one. A missing directory has no sites and is fine. */
function checkSitesDirectory(directory: string): Finding | undefined {
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const word = quoteShell(directory);
  if (!stats.isDirectory()) {
    const message = `${directory} is no directory`;
    return { message, found: 'a file', expected: 'a directory', remedy: `rm ${word} && mkdir ${word}` };
  }
  if (!isTrustedOwner(stats.uid)) {
    return {
      message: `${directory} belongs to somebody who could add sites`,
      found: `owner uid ${stats.uid}`,
      expected: 'owner root',
      remedy: `chown root ${word}`,
    };
  }
  if ((stats.mode & 0o022) === 0) return undefined;
  return {
    message: `others than its owner may write to ${directory}`,
    found: `mode ${formatMode(stats.mode)}`,
    expected: 'mode 0755 or 0700',
    remedy: `chmod go-w ${word}`,
  };
}
