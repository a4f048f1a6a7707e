/**
 * Checks what a site's file says against the system: users, floors, directories, the PHP program. Gathers
 * everything that is wrong, because a person mends a file in one go.
 */

import { constants } from 'node:fs';
import type { Config } from '../config/config.js';
import { type Path, type Places, placeOf } from '../config/locate.js';
import type { Finding, Problem } from '../config/problem.js';
import { longestSocketPath } from '../config/system.js';
import { errorCode, formatMode, quoteShell } from '../config/toml-file.js';
import { groupName, type UserEntry } from '../os/identity.js';
import { assemble } from './assemble.js';
import { confinementFindings } from './confinable.js';
import type { LayeredSite } from './defaults.js';
<<<<<<< HEAD
import { checkDispatch, checkOnDisconnect } from './dispatch.js';
import { isolationOf } from './isolation.js';
import { checkPhpBinary } from './php-binary.js';
import { processesOf } from './processes.js';
import { checkProgram, checkWebUsers, withProgram } from './program.js';
import { recordingOf } from './recording.js';
import { limitNames, type Site, type SiteLimitName, siteSocketPath } from './site.js';
=======
import { checkProgram, withProgram } from './program.js';
import { type Site, siteSocketPath } from './site.js';
import { SystemView } from './system-view.js';
import type { Walker } from './way.js';
>>>>>>> c92519c (site, master, router: what thousands of quiet sites cost)

export interface Origin {
  readonly file: string;
  readonly places: Places;
}

/**
 * The site, or everything that keeps it from running.
 *
 * @param view what is known of the system already, when many sites are read at once
 */
export function checkAgainstSystem(
  config: Config,
  layered: LayeredSite,
  origin: Origin,
  view = new SystemView(),
): Site | Problem[] {
  const written = withProgram(layered);
  const problems: Problem[] = [];
  const complain = (path: Path, finding: Finding | undefined) => {
    if (finding !== undefined)
      problems.push({ file: origin.file, line: placeOf(origin.places, path).line, ...finding });
  };
  const user = view.user(written.user);
  complain(['user'], user === undefined ? unknownUser(written.user) : checkUser(config, user));
  const trustedUids = written.trusted_owners.map((name) => view.user(name)?.uid ?? -1);
  const walker = { uid: user?.uid ?? -1, trusted: trustedUids };
  const root = checkRoot(written, walker, view);
  if (typeof root !== 'string') complain(['root'], root);
<<<<<<< HEAD
  if (written.command === undefined) complain(['php'], checkPhpBinary(written.php, user?.uid ?? 0));
  else if (user !== undefined) {
    complain(['command'], checkProgram(written.command[0], user));
    complain(['command'], checkWebUsers(config));
  }
  const trustedUids = written.trusted_owners.map((name, index) => {
    const owner = userByName(name);
    if (owner === undefined) complain(['trusted_owners', index], unknownUser(name));
    return owner?.uid ?? -1;
  });
=======
  if (written.command === undefined) complain(['php'], view.php(written.php, user?.uid ?? 0));
  else if (user !== undefined) complain(['command'], checkProgram(written.command[0], user));
  for (const [index, name] of written.trusted_owners.entries())
    if (trustedUids[index] === -1) complain(['trusted_owners', index], unknownUser(name));
>>>>>>> c92519c (site, master, router: what thousands of quiet sites cost)
  const visitors = Object.entries(written.visitors ?? {}).map(([visitor, name]) => {
    const entry = view.user(name);
    complain(['visitors', visitor], entry === undefined ? unknownUser(name) : checkUser(config, entry));
    return [visitor, entry] as const;
  });
  for (const [path, finding] of confinementFindings(config, written, walker, view)) complain(path, finding);
  complain(['key'], checkKey(written));
  complain(['dispatch'], checkDispatch(written));
  complain(['socket'], checkSocket(config, written));
  complain(['on_disconnect'], checkOnDisconnect(written));
  if (problems.length > 0 || user === undefined || typeof root !== 'string') return problems;
  const known = visitors.flatMap(([visitor, entry]) =>
    entry === undefined ? [] : [[visitor, entry] as const],
  );
  return assemble(written, {
    user,
    realRoot: root,
    trustedUids,
    visitors: Object.fromEntries(known),
    file: origin.file,
  });
}

<<<<<<< HEAD
interface Resolved {
  readonly user: UserEntry;
  readonly realRoot: string;
  readonly trustedUids: readonly number[];
  readonly visitors: Readonly<Record<string, UserEntry>>;
  readonly file: string;
}

function build(written: LayeredSite, resolved: Resolved): Site {
  const keyring = [
    ...(written.key === undefined ? [] : [{ key: written.key, untilMs: Number.POSITIVE_INFINITY }]),
    ...(written.old_keys ?? [])
      .map((old) => ({ key: old.key, untilMs: old.until.getTime() }))
      .filter((old) => old.untilMs > Date.now()),
  ];
  return {
    name: written.name,
    aliases: written.aliases ?? [],
    file: resolved.file,
    root: normalize(written.root).replace(/(?<=.)\/+$/, ''),
    realRoot: resolved.realRoot,
    user: resolved.user,
    visitors: resolved.visitors,
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
    trustedUids: resolved.trustedUids,
    env: written.env,
    phpIni: { set: written.php_ini.set ?? {}, lock: written.php_ini.lock ?? {} },
    umask: Number.parseInt(written.umask, 8),
    limits: limitsOf(written.limits),
    ...isolationOf(written),
    ...recordingOf(written),
    ...processesOf(written),
  };
}

function limitsOf(written: LayeredSite['limits']): Partial<Record<SiteLimitName, number>> {
  const limits: Partial<Record<SiteLimitName, number>> = {};
  for (const name of limitNames) {
    const value = written[name];
    // RLIMIT_CPU counts whole seconds; the file has a duration, held in milliseconds.
    if (value !== undefined) limits[name] = name === 'cpu' ? Math.ceil(value / 1000) : value;
  }
  return limits;
}

=======
>>>>>>> c92519c (site, master, router: what thousands of quiet sites cost)
function unknownUser(name: string): Finding {
  return {
    message: `the user ${JSON.stringify(name)} does not exist`,
    found: name,
    expected: 'a user of this system',
    remedy: `useradd --create-home ${quoteShell(name)}`,
  };
}

/** Who may never be a site's user: root, those below the floors, and the accounts that guise's own safety rests on. */
function checkUser(config: Config, user: UserEntry): Finding | undefined {
  const choose = 'give the site a user of its own';
  if (user.uid === 0 || user.gid === 0 || user.groups.includes(0)) {
    return {
      message: user.uid === 0 ? 'a site never runs as root' : `the user ${user.name} is in the group of root`,
      found: `${user.name}: uid ${user.uid}, gid ${user.gid}, groups ${user.groups.join(' ')}`,
      expected: 'a user that is neither root nor in its group',
      remedy:
        user.uid === 0 || user.gid === 0
          ? choose
          : `gpasswd --delete ${quoteShell(user.name)} ${groupName(0) ?? 'root'}`,
    };
  }
  if (user.name === config.router.user) {
    return {
      message: "this user is the router's own",
      found: user.name,
      expected: 'another user',
      remedy: choose,
    };
  }
  if (config.router.webUsers.includes(user.name)) {
    const message = "this user is the web server's own, which holds the keys of every site";
    return { message, found: user.name, expected: 'another user', remedy: choose };
  }
  if (user.uid < config.minUid) return floor(config, 'uid', user.uid, config.minUid);
  if (user.gid < config.minGid) return floor(config, 'gid', user.gid, config.minGid);
  return undefined;
}

function floor(config: Config, kind: 'uid' | 'gid', found: number, least: number): Finding {
  return {
    message: `the ${kind} of this user is below the floor`,
    found: `${kind} ${found}`,
    expected: `${kind} ${least} or above`,
    remedy: `use another user; or, if this one is meant, lower min_${kind} under [limits] in ${config.file}`,
  };
}

/** The root with every link resolved, or what is wrong with it. */
function checkRoot({ root, user }: LayeredSite, walker: Walker, view: SystemView): string | Finding {
  const expected = 'a directory that exists';
  try {
    const { real: realRoot, mode } = view.way(root, walker);
    if ((mode & constants.S_IFMT) !== constants.S_IFDIR) {
      return {
        message: `the root ${root} is no directory`,
        found: `mode ${formatMode(mode)}`,
        expected,
        remedy: 'name the directory that holds the site',
      };
    }
    if (realRoot === '/') {
      return {
        message: 'the whole file system cannot be a site',
        found: root,
        expected: 'a directory of the site',
        remedy: '',
      };
    }
    return realRoot;
  } catch (thrown) {
    const word = quoteShell(root);
    return {
      message: `the root ${root} cannot be used`,
      found: errorCode(thrown) === 'ENOENT' ? 'no such directory' : (errorCode(thrown) ?? String(thrown)),
      expected,
      remedy: `install -d -o ${quoteShell(user)} -g "$(id -gn ${quoteShell(user)})" ${word}`,
    };
  }
}

function checkKey(written: LayeredSite): Finding | undefined {
  if (!written.key_required || written.key !== undefined) return undefined;
  return {
    message: 'the site has no key, so no request could prove that it is meant for it',
    found: '',
    expected: 'key = "(64 hexadecimal digits)"',
    remedy: `guise site set ${written.name} --rotate-key`,
  };
}

function checkSocket(config: Config, written: LayeredSite): Finding | undefined {
  const path = siteSocketPath(config.paths.run, written.name);
  const length = Buffer.byteLength(path);
  if (written.socket === 'shared' || length <= longestSocketPath) return undefined;
  return {
    message: "the path of the site's own socket is too long for the address of a socket",
    found: `${path} (${length} bytes)`,
    expected: `at most ${longestSocketPath} bytes`,
    remedy: 'socket = "shared", or a shorter run directory under [paths]',
  };
}
