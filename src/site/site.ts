/**
 * A site after every check: what router and master work with. Times are milliseconds, sizes are bytes,
 * host names are lower case. Nothing here is read from a request.
 */

import type { UserEntry } from '../os/identity.js';
import type { Isolation } from './isolation.js';
import type { Processes } from './processes.js';
import type { Recording } from './recording.js';

export type Mode = 'pool' | 'per-request';
export type SocketKind = 'shared' | 'own';
/** `program`: the site is not PHP, and its own program accepts on its socket. */
export type Dispatch = 'router' | 'direct' | 'program';

/** The resource limits a site may set, by the names of setrlimit(2) in lower case. */
export const limitNames = ['nofile', 'nproc', 'as', 'cpu', 'core', 'fsize'] as const;
export type SiteLimitName = (typeof limitNames)[number];

/** A secret of a site, and until when it is accepted (milliseconds since the epoch, Infinity: for good). */
export interface SiteKey {
  readonly key: string;
  readonly untilMs: number;
}

export interface Site extends Isolation, Processes, Recording {
  /** `[a-z0-9][a-z0-9._-]{0,99}`: safe in file names. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** The file that it was read from. */
  readonly file: string;
  /** The document root as written, absolute; and with every symbolic link resolved. */
  readonly root: string;
  readonly realRoot: string;
  readonly user: UserEntry;
  /** No request of it is run where this is false. */
  readonly enabled: boolean;
  /**
   * Authenticated visitors (REMOTE_USER) whose requests run as another user than the site's. The web server's word
   * for who the visitor is counts, and whoever writes this site's .htaccess can forge it.
   */
  readonly visitors: Readonly<Record<string, UserEntry>>;
  readonly mode: Mode;
  readonly socket: SocketKind;
  readonly dispatch: Dispatch;
  /** The FastCGI program to run instead of PHP, with its arguments; the first is absolute. */
  readonly command?: readonly string[];
  /** The php-cgi to run, absolute. */
  readonly php: string;
  /** Secrets in hexadecimal that are accepted now; the first is the current one. */
  readonly keys: readonly string[];
  /** The same with their ends. Filter by `untilMs` where a copy is kept for long. */
  readonly keyring: readonly SiteKey[];
  readonly keyRequired: boolean;
  readonly maxWorkers: number;
  /** A worker ends after so many requests; 0: never. */
  readonly maxRequests: number;
  /** A worker is replaced that is larger after a request, or older; 0: none is. */
  readonly maxMemoryBytes: number;
  readonly maxAgeMs: number;
  /** So many failures in a row, and it is given up until somebody has looked at it; 0: never. */
  readonly quarantineAfter: number;
  /** Its part of the machine beside other sites that wait. */
  readonly weight: number;
  readonly spare: number;
  readonly timeLimitMs: number;
  readonly idleTimeoutMs: number;
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly maxBodyBytes: number;
  /** Names of files that may run end so: `.php`. Compared with regard to case. */
  readonly suffixes: readonly string[];
  /** Owners beside the site's user whose scripts may run: names and, in the same order, uids. */
  readonly trustedOwners: readonly string[];
  readonly trustedUids: readonly number[];
  readonly env: Readonly<Record<string, string>>;
  readonly phpIni: {
    readonly set: Readonly<Record<string, string>>;
    readonly lock: Readonly<Record<string, string>>;
  };
  readonly umask: number;
  /** Bytes, seconds or a count, as setrlimit(2) has it. */
  readonly limits: Readonly<Partial<Record<SiteLimitName, number>>>;
}

/**
 * The same site while it is out of service: whatever lane it has, the router answers for it. Nobody asks a program's
 * visitors for a key.
 */
export function standIn(site: Site): Site {
  if (site.dispatch === 'router') return site;
  const { command, ...rest } = site;
  return { ...rest, dispatch: 'router', keyRequired: site.keyRequired && command === undefined };
}

/**
 * The same site for visitors that run as another user: a site of its own to everything that owns processes. Its
 * name cannot be that of any configured site. Scripts still belong to the site's user.
 */
export function sitesOfVisitors(site: Site): Site[] {
  const users = new Map(Object.values(site.visitors).map((user) => [user.uid, user]));
  return [...users.values()].map((user) => ({
    ...site,
    name: nameForUser(site, user),
    user,
    aliases: [],
    keys: [],
    keyring: [],
    visitors: {},
    socket: 'shared',
    trustedUids: [...site.trustedUids, site.user.uid],
    trustedOwners: [...site.trustedOwners, site.user.name],
  }));
}

/** No configured site has this in its name. */
const visitorMark = '+';

export function isForVisitors(site: Pick<Site, 'name'>): boolean {
  return site.name.includes(visitorMark);
}

/** The site whose visitors a site of that name is for; undefined: it is for everybody. */
export function visitedSite(name: string): string | undefined {
  const mark = name.indexOf(visitorMark);
  return mark < 0 ? undefined : name.slice(0, mark);
}

export function nameForUser(site: Site, user: UserEntry): string {
  return `${site.name}${visitorMark}${user.name}`;
}

/** Where the status application listens. */
export function statusSocketPath(runDirectory: string): string {
  return `${runDirectory}/status.sock`;
}

/** The path of a site's own socket below the run directory. */
export function siteSocketPath(runDirectory: string, name: string): string {
  return `${runDirectory}/sites/${name}.sock`;
}
