/** Compares what the page says about itself with what the site's configuration says, one step after the other. */

import type { Finding } from '../config/problem.js';
import { formatMode, quoteShell } from '../config/toml-file.js';
import { failed, passed, type Step } from '../explain/step.js';
import type { SiteDirectories } from '../master/layout.js';
import { ownerName } from '../os/identity.js';
import type { Site } from '../site/site.js';
import { isWithin } from '../web/host.js';
import type { ProbeAnswer } from './page.js';

export interface Expected {
  readonly site: Site;
  readonly directories: SiteDirectories;
  /** Roots of sites of other users. */
  readonly foreignRoots: readonly string[];
  /** A file of another site's, or of guise's own, that the page tried to open. */
  readonly foreign?: string;
  /** Sites are confined on this machine. */
  readonly isConfined: boolean;
}

export function compare(answer: ProbeAnswer, expected: Expected): Step[] {
  return [
    identity(answer, expected),
    groups(answer, expected),
    limits(answer, expected),
    umask(answer, expected),
    secrets(answer),
    directory('tmp', answer.tmp, expected.directories.tmp, expected, answer.made),
    directory(
      'sessions',
      answer.sessions,
      expected.site.phpIni.lock['session.save_path'] ?? expected.directories.sessions,
      expected,
    ),
    opcache(answer, expected),
    settings(answer, expected),
    confinement(answer, expected),
  ];
}

function step(name: string, about: string, isRight: boolean, finding: Finding): Step {
  return isRight ? passed(name, about) : failed(name, about, finding);
}

function identity({ uid, euid, gid, egid }: ProbeAnswer, { site }: Expected): Step {
  const { user } = site;
  const isRight = uid === user.uid && euid === user.uid && gid === user.gid && egid === user.gid;
  return step('user', `uid ${uid}, gid ${gid}: ${user.name}`, isRight, {
    message: `the page did not run as ${user.name}`,
    found:
      uid === null
        ? 'PHP has no posix extension, so it cannot tell'
        : `${ownerName(uid)}, effective ${euid}, gid ${gid}, effective ${egid}`,
    expected: `uid ${user.uid}, gid ${user.gid}`,
    remedy:
      uid === null
        ? 'apt-get install php-common'
        : `guise explain --site ${site.name} ${quoteShell(`${site.root}/index.php`)}`,
  });
}

function groups({ groups: found, gid }: ProbeAnswer, { site }: Expected): Step {
  const sorted = (list: readonly number[]): string => [...new Set(list)].sort((a, b) => a - b).join(' ');
  const has = sorted([...(found ?? []), gid ?? -1]);
  const wanted = sorted(site.user.groups);
  return step('groups', has, found !== null && has === wanted, {
    message: 'the page did not have all of the groups of its user, and no others',
    found: has,
    expected: wanted,
    remedy: 'guise reload   # groups are read when the site is',
  });
}

/** What posix_getrlimit(2) of PHP calls them. */
const limitKeys: Readonly<Record<string, string>> = {
  nofile: 'openfiles',
  nproc: 'maxproc',
  as: 'totalmem',
  cpu: 'cpu',
  core: 'core',
  fsize: 'filesize',
};

function limits({ limits: found }: ProbeAnswer, { site }: Expected): Step {
  const wrong = Object.entries(site.limits).filter(([name, value]) => {
    const key = limitKeys[name] ?? name;
    return found?.[`soft ${key}`] !== value || found[`hard ${key}`] !== value;
  });
  const words = Object.entries(site.limits).map(([name, value]) => `${name} ${value}`);
  const told = wrong.map(([name]) => `${name} ${found?.[`soft ${limitKeys[name] ?? name}`] ?? 'unknown'}`);
  return step('limits', words.join(', ') || 'none', wrong.length === 0, {
    message: 'the limits of the process are not those of the configuration',
    found: told.join(', '),
    expected: words.join(', '),
    remedy: 'guise reload',
  });
}

function umask({ umask: found }: ProbeAnswer, { site }: Expected): Step {
  return step('umask', formatMode(found), found === site.umask, {
    message: 'the umask is not that of the configuration',
    found: formatMode(found),
    expected: formatMode(site.umask),
    remedy: `grep -rn umask ${quoteShell(site.root)} --include=*.php   # something changes it before every script`,
  });
}

function secrets({ guise }: ProbeAnswer): Step {
  return step('secrets', 'no variable of guise reaches the script', guise.length === 0, {
    message: 'the script can see what was meant for guise',
    found: guise.join(', '),
    expected: 'no variable with GUISE_ in its name',
    remedy: 'guise explain --help   # the request did not come through guise, or not through this version',
  });
}

function directory(
  name: string,
  found: ProbeAnswer['tmp'],
  path: string,
  { site }: Expected,
  made = path,
): Step {
  const isRight =
    found.path === path && made === path && found.uid === site.user.uid && (found.mode & 0o077) === 0;
  const shown = `${found.path}, ${ownerName(found.uid)}, mode ${formatMode(found.mode)}`;
  return step(name, `${path}, mode 0700`, isRight, {
    message: `the directory for ${name === 'tmp' ? 'temporary files' : name} is not the site's own`,
    found: made === path ? shown : `${shown}; a file made there was in ${made || 'no directory'}`,
    expected: `${path}, ${site.user.name}, mode 0700`,
    remedy: `guise site set ${site.name} --unset php_ini.set.${name === 'tmp' ? 'sys_temp_dir' : 'session.save_path'}`,
  });
}

function opcache({ opcache: scripts }: ProbeAnswer, { foreignRoots, site }: Expected): Step {
  if (scripts === null) return passed('opcache', 'off, or not readable for scripts');
  const foreign = scripts.filter((path) => foreignRoots.some((root) => isWithin(path, root)));
  return step('opcache', `${scripts.length} scripts, none of another site's`, foreign.length === 0, {
    message: 'the cache of compiled scripts holds those of other sites',
    found: foreign.slice(0, 3).join(', '),
    expected: 'scripts of this site alone',
    remedy: `guise site set ${site.name} --unset php_ini.set.opcache.file_cache`,
  });
}

function settings({ locked }: ProbeAnswer, { site }: Expected): Step {
  const names = Object.keys(site.phpIni.lock);
  const loose = names.filter((name) => locked[name] === undefined || locked[name].changeable);
  return step(
    'settings',
    names.length === 0 ? 'none is locked' : `locked: ${names.join(', ')}`,
    loose.length === 0,
    {
      message: 'a script can change settings that are locked',
      found: loose.join(', '),
      expected: 'no change by ini_set',
      remedy: `guise site restart ${site.name}`,
    },
  );
}

function confinement({ opened }: ProbeAnswer, { site, foreign, isConfined }: Expected): Step {
  const name = 'confinement';
  if (foreign === undefined || opened === null) return passed(name, 'nothing of another site to try it on');
  if (!opened) return passed(name, `${foreign} cannot be opened`);
  if (site.confine === 'off')
    return passed(name, `off, as configured: ${foreign} can be opened, for its mode allows it`);
  return failed(name, foreign, {
    message: 'the site can open a file of another one',
    found: isConfined ? 'it was opened' : 'it was opened: there is no Landlock on this machine',
    expected: 'permission denied',
    remedy: isConfined
      ? 'guise reload'
      : `chmod o-r ${quoteShell(foreign)}   # modes are all there is; guise doctor says more`,
  });
}
