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
import { checkDispatch, checkOnDisconnect } from './dispatch.js';
import { checkProgram, checkWebUsers, withProgram } from './program.js';
import { type Site, siteSocketPath } from './site.js';
import { SystemView } from './system-view.js';
import type { Walker } from './way.js';

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
  if (written.command === undefined) complain(['php'], view.php(written.php, user?.uid ?? 0));
  else if (user !== undefined) {
    complain(['command'], checkProgram(written.command[0], user));
    complain(['command'], checkWebUsers(config));
  }
  for (const [index, name] of written.trusted_owners.entries())
    if (trustedUids[index] === -1) complain(['trusted_owners', index], unknownUser(name));
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
