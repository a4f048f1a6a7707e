/**
 * What the processes of a confined site may reach in the file system: the machine's software and its configuration,
 * the site's own directories, and what its file adds. Nothing of another site, whatever the modes there say.
 *
 * Privilege: root, and root opens these paths for the site. No link that the site's user can change is followed to
 * what is not his.
 */

import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { GuiseError } from '../error.js';
import { type LandlockSupport, landlockSupport } from '../os/landlock.js';
import type { LandlockRules } from '../os/launch.js';
import type { Site } from '../site/site.js';
import { followWay, isHonest, type Walker, type Way } from '../site/way.js';
import type { SiteDirectories } from './layout.js';

/** Software, its configuration and its data: the same for everybody, and protected by modes where it must be. */
const software = [
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/etc', '/nix/store'],
  ...['/var/cache/fontconfig', '/var/lib/ghostscript', '/var/lib/texmf', '/var/lib/ca-certificates'],
  ...['/var/lib/aspell', '/var/lib/dictionaries-common', '/var/lib/exim4'],
];

/** Where links from /etc for the resolver lead, and what is read to look up users without a daemon. */
const nameServices = [
  ...['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager', '/run/connman'],
  ...['/var/lib/sss/mc', '/var/lib/sss/pubconf'],
];

/**
 * Figures of the whole machine. No directory of a process, for those of other sites would come with them; unless /proc
 * itself hides them.
 */
const figures = [
  ...['cpuinfo', 'filesystems', 'loadavg', 'meminfo', 'stat', 'swaps', 'sys', 'uptime', 'version', 'vmstat'],
].map((name) => `/proc/${name}`);

/** Queues that mail programs write to once they have gained their own group or user, which modes see to. */
const mail = [
  ...['/var/spool/postfix/maildrop', '/var/spool/postfix/public', '/var/mail', '/var/qmail'],
  ...['/var/spool/exim4', '/var/spool/exim', '/var/log/exim4', '/var/log/exim'],
  ...['/var/spool/clientmqueue', '/var/spool/mqueue-client', '/var/spool/dma'],
  ...['/var/spool/nullmailer', '/var/lib/nullmailer'],
];

const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `/dev/${name}`);

/**
 * The rules that a site's processes are started with; undefined when it is not to be confined, or cannot be and
 * need not be.
 *
 * @throws GuiseError NOT_PERMITTED when it cannot be and must be; SITE_INVALID when its root leads elsewhere
 */
export function confinementOf(
  site: Site,
  directories: SiteDirectories,
  library: string,
  isRequired: boolean,
  support: LandlockSupport = landlockSupport(),
): LandlockRules | undefined {
  if (site.confine === 'off') return undefined;
  if (support.abi > 0) return rulesFor(site, directories, library);
  if (!isRequired) return undefined;
  const text = `${site.name} cannot be confined, and [security] require_confinement is set: ${support.reason ?? ''}`;
  throw new GuiseError('NOT_PERMITTED', text, { file: site.file });
}

function rulesFor(site: Site, directories: SiteDirectories, library: string): LandlockRules {
  const walker = { uid: site.user.uid, trusted: site.trustedUids };
  const { tmp, sessions, phpLog, ini } = directories;
  const proc = hidesProcesses(readFileSync('/proc/self/mountinfo', 'utf8')) ? ['/proc'] : figures;
  const read = [...software, ...nameServices, ...proc, dirname(library), ini].flatMap(existing);
  const own = [...rootOf(site, walker), ...homeOf(site, walker)];
  // The log's directory and not its file: another file takes its name when it is rotated.
  const write = [...[tmp, sessions, dirname(phpLog), ...mail].flatMap(existing), ...own];
  return {
    read: [
      ...read,
      ...programOf(site.command?.[0] ?? site.php, read),
      ...site.readable.flatMap((path) => opened(path, walker)),
    ],
    write: [...write, ...site.writable.flatMap((path) => opened(path, walker))],
    devices: devices.flatMap(existing),
  };
}

/** Whether /proc shows a user his own processes only: its option hidepid, proc(5). The last mount is the one seen. */
export function hidesProcesses(mountinfo: string): boolean {
  const mounts = mountinfo.split('\n').filter((line) => line.split(' ')[4] === '/proc');
  return /[ ,]hidepid=(1|2|4|noaccess|invisible|ptraceable)(,|$)/.test(mounts.at(-1) ?? '');
}

/** Paths of the machine and of guise: links on the way are root's. */
function existing(path: string): string[] {
  try {
    return [realpathSync.native(path)];
  } catch {
    return [];
  }
}

function wayOf(path: string, walker: Walker): Way | undefined {
  try {
    return followWay(path, walker);
  } catch {
    return undefined;
  }
}

/** A path from the site's file. `guise check` says when it is missing or leads elsewhere; then nothing is opened. */
function opened(path: string, walker: Walker): string[] {
  const way = wayOf(path, walker);
  return way !== undefined && isHonest(way, walker) ? [way.real] : [];
}

/**
 * The root, and with it the directories that hold a link on the way to it, when they belong to those who deploy the
 * site: a release that such a link leads to tomorrow must be readable without a restart.
 */
function rootOf(site: Site, walker: Walker): string[] {
  const way = followWay(site.root, walker);
  if (!isHonest(way, walker)) {
    const text = `the root ${site.root} leads to ${way.real}, which is not the site's, through the link ${way.loose ?? ''}`;
    throw new GuiseError('SITE_INVALID', text, { file: site.file });
  }
  const deployers = [walker.uid, ...walker.trusted].filter((uid) => uid !== 0);
  const holders = way.holders.filter(({ owner }) => deployers.includes(owner));
  return [way.real, ...holders.map(({ path }) => path)];
}

/** Only what belongs to the user: an account may name /var/www as its home, where everybody's sites are. */
function homeOf(site: Site, walker: Walker): string[] {
  const way = wayOf(site.user.home, walker);
  return way !== undefined && way.owner === walker.uid ? [way.real] : [];
}

/** A PHP or another program that lies elsewhere: what is beside its `bin`, or else the program alone. */
function programOf(file: string, known: readonly string[]): string[] {
  const [real = file] = existing(file);
  if (known.some((path) => real.startsWith(`${path}/`))) return [];
  const bin = dirname(real);
  return ['bin', 'sbin'].includes(basename(bin)) && dirname(bin) !== '/' ? [dirname(bin)] : [real];
}
