/**
 * Reads guise.toml. Everything in it has a default, so the default file may be missing; a file that was
 * asked for by name may not. Reports all problems of the file at once.
 */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { GuiseError } from '../error.js';
import { type AutoPattern, parseAutoPattern } from '../site/auto.js';
import type { SiteDefaults } from '../site/schema.js';
import { problemsOf } from './explain.js';
import { parseTcpAddress, type TcpAddress } from './listen.js';
import type { Places } from './locate.js';
import { formatProblem, type Problem } from './problem.js';
import { type ConfigFile, configDefaults, configSchema } from './schema.js';
import { checkSystem } from './system.js';
import { exposedSecret, quoteShell, readTomlFile } from './toml-file.js';

export const defaultConfigFile = '/etc/guise/guise.toml';

/** The checked main configuration. Paths are absolute, times milliseconds, sizes bytes. */
export interface Config {
  /** The file, absolute. It need not exist when it is the default one. */
  readonly file: string;
  readonly paths: {
    readonly run: string;
    readonly state: string;
    readonly log: string;
    readonly sites: string;
  };
  readonly router: {
    /** The user that routers run as. */
    readonly user: string;
    /** The users whose processes may connect to the FastCGI sockets. */
    readonly webUsers: readonly string[];
    /** Loopback addresses that the router accepts on beside the Unix sockets. */
    readonly listen: readonly TcpAddress[];
    readonly count: number;
    /** Connections that one router holds at most. */
    readonly maxConnections: number;
    /** All parameters of one request together, at most. */
    readonly maxHeadBytes: number;
    /** No body grows in the spool while less than this is free there. */
    readonly minFreeBytes: number;
    /** How long a request that has begun to arrive may bring no further byte. */
    readonly readTimeoutMs: number;
  };
  readonly control: {
    /** Its members may do everything, beside root. */
    readonly group?: string;
    /** Whether users of sites may ask about their own. */
    readonly owners: boolean;
  };
  /** The status application. */
  readonly status: {
    readonly enabled: boolean;
    /** Where it is seen behind a web server. */
    readonly path: string;
    readonly pingPath: string;
    /** It ends when nobody has asked for so long. */
    readonly idleTimeoutMs: number;
  };
  readonly limits: {
    /** Workers over all sites. */
    readonly maxWorkers: number;
    /** What the workers of all sites together may take. */
    readonly memoryBytes: number;
    /** How long `stop` waits for running requests. */
    readonly drainTimeoutMs: number;
    /** "auto", "off" or a path: see delegation.ts. */
    readonly cgroup: string;
  };
  readonly ledger: {
    /** A log file of a site is rotated at this size, and so many older ones are kept. */
    readonly fileBytes: number;
    readonly keep: number;
    /** Lines of one site's ledger. */
    readonly linesPerSecond: number;
    /** Nothing is written to sites' logs while less than this is free. */
    readonly minFreeBytes: number;
    readonly usageDays: number;
  };
  /** Sites that ask for Landlock do not run where the kernel has none. */
  readonly requireConfinement: boolean;
  readonly minUid: number;
  readonly minGid: number;
  /** Directories that are sites by themselves, each run as its owner. Absent: there are none. */
  readonly auto?: {
    readonly roots: readonly string[];
    readonly patterns: readonly AutoPattern[];
    readonly key: string;
  };
  /** Site keys as written under [defaults], checked. */
  readonly defaults: SiteDefaults;
}

export interface ConfigReading {
  /** Present when the shape of the file is right, even where the system lacks a user that it names. */
  readonly config?: Config;
  readonly problems: readonly Problem[];
}

/** Where the configuration is: what was asked for, else $GUISE_CONFIG, else /etc/guise/guise.toml. */
export function configFile(asked: string | undefined): string {
  return resolve(asked ?? (process.env.GUISE_CONFIG || defaultConfigFile));
}

/**
 * The configuration for a daemon or a check: its users and groups must exist.
 * Throws GuiseError CONFIG_UNREADABLE where the file is missing, CONFIG_INVALID with every problem in the message.
 */
export function readConfig(asked: string | undefined): Config {
  return demand(checkConfig(asked));
}

/** The configuration for a client of the daemon, who needs no more than the paths in it. Throws as `readConfig` does. */
export function readClientConfig(asked: string | undefined): Config {
  return demand(checkShape(asked));
}

/** The same without an exception for what the file says: all problems at once. Throws CONFIG_UNREADABLE. */
export function checkConfig(asked: string | undefined): ConfigReading {
  const shape = checkShape(asked);
  if (shape.config === undefined) return shape;
  return { config: shape.config, problems: [...shape.problems, ...checkSystem(shape.config, shape.places)] };
}

function demand(reading: ConfigReading): Config {
  const [first] = reading.problems;
  if (reading.config !== undefined && first === undefined) return reading.config;
  throw new GuiseError('CONFIG_INVALID', reading.problems.map(formatProblem).join('\n'), {
    ...(first === undefined ? {} : { file: first.file, line: first.line }),
  });
}

interface ShapeReading extends ConfigReading {
  readonly places: Places;
}

function checkShape(asked: string | undefined): ShapeReading {
  const file = configFile(asked);
  if (!existsSync(file)) {
    if (file === defaultConfigFile) return { config: build(file, {}), problems: [], places: new Map() };
    const remedy = `touch ${quoteShell(file)}   (an empty file is a good one: everything has a default)`;
    throw new GuiseError('CONFIG_UNREADABLE', `there is no configuration file ${file}`, { file, remedy });
  }
  const reading = readTomlFile(file);
  if ('problem' in reading) return { problems: [reading.problem], places: new Map() };
  const { raw, places } = reading.toml;
  const checked = configSchema.safeParse(raw);
  if (!checked.success)
    return { problems: problemsOf(checked.error, { file, places, raw, schema: configSchema }), places };
  const exposed = exposedSecret(reading.toml, ['auto', 'key'], 'make a new key under [auto]');
  return { config: build(file, checked.data), problems: exposed === undefined ? [] : [exposed], places };
}

function withPatterns({ roots, key }: NonNullable<ConfigFile['auto']>): NonNullable<Config['auto']> {
  return { roots, key, patterns: roots.map(parseAutoPattern).filter((pattern) => pattern !== undefined) };
}

function limitsOf(written: typeof configDefaults.limits): Config['limits'] {
  const { max_workers, memory, drain_timeout, cgroup } = written;
  return { maxWorkers: max_workers, memoryBytes: memory, drainTimeoutMs: drain_timeout, cgroup };
}

function build(file: string, written: ConfigFile): Config {
  const base = dirname(file);
  const paths = { ...configDefaults.paths, ...written.paths };
  const router = { ...configDefaults.router, ...written.router };
  const status = { ...configDefaults.status, ...written.status };
  const limits = { ...configDefaults.limits, ...written.limits };
  const control = { ...configDefaults.control, ...written.control };
  const ledger = { ...configDefaults.ledger, ...written.ledger };
  return {
    file,
    paths: {
      run: resolve(base, paths.run),
      state: resolve(base, paths.state),
      log: resolve(base, paths.log),
      sites: resolve(base, paths.sites),
    },
    router: {
      user: router.user,
      webUsers: router.web_users,
      listen: router.listen.map(parseTcpAddress).filter((address) => address !== undefined),
      count: router.count,
      maxConnections: router.max_connections,
      maxHeadBytes: router.max_head,
      minFreeBytes: router.min_free,
      readTimeoutMs: router.read_timeout,
    },
    control,
    status: {
      enabled: status.enabled,
      path: status.path,
      pingPath: status.ping_path,
      idleTimeoutMs: status.idle_timeout,
    },
    limits: limitsOf(limits),
    ledger: {
      fileBytes: ledger.file_size,
      keep: ledger.keep,
      linesPerSecond: ledger.lines_per_second,
      minFreeBytes: ledger.min_free,
      usageDays: ledger.usage_days,
    },
    requireConfinement: written.security?.require_confinement ?? configDefaults.security.require_confinement,
    minUid: limits.min_uid,
    minGid: limits.min_gid,
    ...(written.auto === undefined ? {} : { auto: withPatterns(written.auto) }),
    defaults: written.defaults ?? {},
  };
}
