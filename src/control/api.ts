/**
 * What may be said on the control socket, and what the master offers to answer it. The server checks every
 * body against the zod schemas here; the client gets the types of the reports.
 */

import { z } from 'zod';
import type { Config } from '../config/config.js';
import type { Parked, SiteCatalog } from '../site/registry.js';
import type { Mode, Site, SiteLimitName, SocketKind } from '../site/site.js';
import type { FiguresReport, LivesReport, MemoryReport } from './figures-report.js';

/** What the master offers to the control server. All of it is about the master's own tables. */
export interface MasterApi {
  /** The configuration that is in force. */
  config(): Config;
  /** The sites that are in force. */
  registry(): SiteCatalog;
  /** Whether this is the user of a site, one with a file or an automatic one that runs. Visitors' users are not. */
  isOwner(uid: number): boolean;
  ping(): PingReport;
  status(): Promise<StatusReport>;
  /** Reads configuration and sites again and applies what changed. Throws GuiseError CONFIG_INVALID and keeps the old. */
  reload(): Promise<ReloadReport>;
  /** Log files have been renamed: they are opened again. */
  reopen(): void;
  /** Resolves when stopping has begun; the process ends when it has drained. */
  stop(): Promise<void>;
  /**
   * The file of this site appeared, changed or went away: read it and apply it, and touch no other site.
   * Resolves when new requests are treated accordingly.
   */
  applySite(name: string): Promise<void>;
  /** Ends a site's processes with their last requests and begins anew; lifts a quarantine. Throws SITE_UNKNOWN. */
  restartSite(name: string): Promise<void>;
  /** Lifts a quarantine, and touches nothing where there is none. Throws SITE_UNKNOWN. */
  liftQuarantine(name: string): Promise<void>;
}

export interface PingReport {
  readonly pid: number;
  readonly version: string;
  readonly uptimeMs: number;
}

export interface ReloadReport {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
  readonly parked: readonly Parked[];
  /** Files that are wrong, while their sites run on as they last were. */
  readonly kept: readonly Parked[];
}

/**
 * quiet: no process. starting: the template starts. active: it has a template. throttled: it crashed at start
 * and waits before the next attempt. quarantined: it failed too often in a row, and no attempt is made. disabled:
 * switched off in its file. stopping: removed, its last requests are still running.
 */
export type SiteState =
  | 'quiet'
  | 'starting'
  | 'active'
  | 'throttled'
  | 'quarantined'
  | 'disabled'
  | 'stopping';

export interface WorkerCounts {
  readonly total: number;
  readonly busy: number;
  readonly idle: number;
  readonly starting: number;
  readonly limit: number;
}

export interface SiteStatus extends FiguresReport {
  readonly name: string;
  readonly state: SiteState;
  readonly user: string;
  readonly uid: number;
  readonly mode: Mode;
  readonly socket: SocketKind;
  /** When it came into force in its present form, ISO 8601. */
  readonly inForceSince: string;
  readonly workers: WorkerCounts & {
    /** What the largest of them takes, as far as it has been measured. Counted for each against `totals.room`. */
    readonly bytes?: number;
    /** The most that were busy at once. */
    readonly maxBusy: number;
    /** How many requests found all that it may have busy. */
    readonly limitReached: number;
  };
  /** `maxLength`: the most that waited at once. */
  readonly queue: { readonly length: number; readonly limit: number; readonly maxLength: number };
  readonly lives: LivesReport;
  /** Absent where it has no process. */
  readonly memory?: MemoryReport;
  readonly templatePid?: number;
  readonly workerPids: readonly number[];
  /** Bytes in its temporary directory, where that has a size of its own (tmp_size). */
  readonly tmp?: { readonly used: number; readonly size: number };
  /** Why the state is what it is, where that is not obvious. */
  readonly reason?: string;
  /** The last thing that went wrong, in one line. */
  readonly lastProblem?: string;
}

export interface RouterStatus {
  readonly pid: number;
  readonly alive: boolean;
  /** Whether it has answered in time; what it counts is old otherwise. */
  readonly answers: boolean;
  readonly restarts: number;
  readonly connections?: number;
}

/** All sites together, those that are gone and requests without a site included. */
export interface Totals extends FiguresReport {
  readonly sites: number;
  readonly workers: WorkerCounts;
  readonly queued: number;
  readonly lives: LivesReport;
  readonly memory: MemoryReport;
  /** What all workers may take of the memory, and take, each counted with its site's largest; sites that wait for room. */
  readonly room?: { readonly usedBytes: number; readonly limitBytes: number; readonly waiting: number };
}

export interface StatusReport {
  readonly version: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly routers: readonly RouterStatus[];
  /** Not for the user of a site. */
  readonly totals?: Totals;
  /** Not for the user of a site. Requests of which it was not found out, or not believed, which site they were for. */
  readonly siteless?: FiguresReport;
  readonly sites: readonly SiteStatus[];
  readonly parked: readonly Parked[];
  /** Files that are wrong, while their sites run on as they last were. */
  readonly kept: readonly Parked[];
}

/** A site as it is shown: everything but its secrets. Times in ms, sizes in bytes. */
export interface SiteView {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly file: string;
  readonly root: string;
  readonly realRoot: string;
  readonly user: string;
  readonly enabled: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly mode: Mode;
  readonly socket: SocketKind;
  readonly dispatch: string;
  readonly command?: readonly string[];
  readonly php: string;
  /** How many keys are accepted now, and whether a request needs one. */
  readonly keys: number;
  readonly keyRequired: boolean;
  readonly maxWorkers: number;
  readonly maxRequests: number;
  readonly maxMemoryBytes: number;
  readonly maxAgeMs: number;
  readonly quarantineAfter: number;
  readonly weight: number;
  readonly spare: number;
  readonly timeLimitMs: number;
  readonly idleTimeoutMs: number;
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly suffixes: readonly string[];
  readonly trustedOwners: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly phpIni: Site['phpIni'];
  readonly umask: string;
  readonly limits: Readonly<Partial<Record<SiteLimitName, number>>>;
  readonly confine: Site['confine'];
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly nice: number;
  readonly tmpMaxAgeMs: number;
  readonly tmpSizeBytes: number;
  readonly ledger: Site['ledger'];
  readonly ledgerSample: number;
  readonly ledgerSlowerThanMs: number;
  readonly slowAfterMs: number;
}

/** Copied field by field: a field that is added to Site later may be secret, and stays out until it is named here. */
export function viewSite(site: Site): SiteView {
  return {
    name: site.name,
    aliases: site.aliases,
    file: site.file,
    root: site.root,
    realRoot: site.realRoot,
    user: site.user.name,
    enabled: site.enabled,
    uid: site.user.uid,
    gid: site.user.gid,
    groups: site.user.groups,
    mode: site.mode,
    socket: site.socket,
    dispatch: site.dispatch,
    ...(site.command === undefined ? {} : { command: site.command }),
    php: site.php,
    keys: site.keys.length,
    keyRequired: site.keyRequired,
    maxWorkers: site.maxWorkers,
    maxRequests: site.maxRequests,
    maxMemoryBytes: site.maxMemoryBytes,
    maxAgeMs: site.maxAgeMs,
    quarantineAfter: site.quarantineAfter,
    weight: site.weight,
    spare: site.spare,
    timeLimitMs: site.timeLimitMs,
    idleTimeoutMs: site.idleTimeoutMs,
    queueLength: site.queueLength,
    queueTimeoutMs: site.queueTimeoutMs,
    maxBodyBytes: site.maxBodyBytes,
    suffixes: site.suffixes,
    trustedOwners: site.trustedOwners,
    env: site.env,
    phpIni: site.phpIni,
    umask: site.umask.toString(8).padStart(3, '0'),
    limits: site.limits,
    confine: site.confine,
    readable: site.readable,
    writable: site.writable,
    noNewPrivileges: site.noNewPrivileges,
    nice: site.nice,
    tmpMaxAgeMs: site.tmpMaxAgeMs,
    tmpSizeBytes: site.tmpSizeBytes,
    ledger: site.ledger,
    ledgerSample: site.ledgerSample,
    ledgerSlowerThanMs: site.ledgerSlowerThanMs,
    slowAfterMs: site.slowAfterMs,
  };
}

export interface SitesReport {
  readonly sites: readonly SiteView[];
  readonly parked: readonly Parked[];
  readonly kept?: readonly Parked[];
}

export interface SiteReport {
  readonly site?: SiteView;
  readonly parked?: Parked;
  /** What is wrong with its file now; `site` is what it said before. */
  readonly kept?: Parked;
}

/** Body of POST /sites: the keys of a site's file. They are checked as that file would be. */
export const addSiteBody = z.record(z.string(), z.unknown());

/** Body of PATCH /sites/NAME. */
export const changeSiteBody = z.strictObject({
  set: z.record(z.string(), z.unknown()).default({}),
  unset: z.array(z.string()).max(100).default([]),
  rotateKey: z
    .strictObject({
      graceMs: z
        .int()
        .min(0)
        .max(366 * 86_400_000),
    })
    .exactOptional(),
});

/** What every answer of status 400 or above holds. */
export const errorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string().exactOptional() }),
});
