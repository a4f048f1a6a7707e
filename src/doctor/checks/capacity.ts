/** Numbers that do not fit this machine: memory, open files, processes. */

import { placeOf } from '../../config/locate.js';
import { configDefaults } from '../../config/schema.js';
import { quoteShell, readTomlFile } from '../../config/toml-file.js';
import type { Site } from '../../site/site.js';
import type { Ailment, Check, Look } from '../check.js';

const mib = 1024 ** 2;
/** What a worker takes when nothing can be measured: the default of max_workers counts with the same. */
const assumedWorkerBytes = 64 * mib;
/** An idle worker says little about one that works. */
const leastWorkerBytes = 32 * mib;

export const memory: Check = {
  id: 'memory',
  severity: 'warning',
  title: 'the workers that are allowed do not fit into memory',
  examine: (look) => {
    const { config, registry, machine } = look;
    const allowed = Math.min(
      config.limits.maxWorkers,
      registry.sites.reduce((sum, { maxWorkers }) => sum + maxWorkers, 0),
    );
    const each = measured(look) ?? assumedWorkerBytes;
    const total = machine.memoryBytes();
    if (allowed * each <= total) return [];
    const fitting = Math.max(1, Math.floor(total / each));
    return [
      {
        about: config.file,
        message: `when all of its sites are busy at once, the machine runs out of memory`,
        found: `${allowed} workers of ${Math.ceil(each / mib)} MiB (${measured(look) === undefined ? 'assumed' : 'measured'}), and ${Math.floor(total / mib)} MiB of memory`,
        expected: `at most ${fitting} workers`,
        remedy: setLimit(config.file, fitting),
      },
    ];
  },
};

/** The mean of what running workers have for themselves, once there are enough of them to tell. */
function measured({ daemon, machine }: Look): number | undefined {
  const sizes = (daemon?.sites ?? [])
    .flatMap(({ workerPids }) => workerPids)
    .map((pid) => machine.ownMemory(pid))
    .filter((bytes) => bytes !== undefined);
  if (sizes.length < 5) return undefined;
  return Math.max(leastWorkerBytes, sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length);
}

/** Changes the line of guise.toml, or adds one. */
function setLimit(file: string, workers: number): string {
  const reading = readTomlFile(file);
  const limits = 'toml' in reading ? reading.toml.raw.limits : undefined;
  const has = (key: string): boolean =>
    typeof limits === 'object' && limits !== null && Object.hasOwn(limits, key);
  const word = quoteShell(file);
  if ('toml' in reading && has('max_workers')) {
    const { line } = placeOf(reading.toml.places, ['limits', 'max_workers']);
    return `sed -i '${line}s/max_workers *= *[0-9]*/max_workers = ${workers}/' ${word} && guise reload`;
  }
  return limits === undefined
    ? `printf '\\n[limits]\\nmax_workers = ${workers}\\n' >> ${word} && guise reload`
    : `sed -i 's/^ *\\[limits\\]/&\\nmax_workers = ${workers}/' ${word} && guise reload`;
}

export const openFiles: Check = {
  id: 'open-files',
  severity: 'warning',
  title: 'the daemon or a router may open too few files for the connections that are allowed',
  examine: ({ config, daemon, machine }) => {
    if (daemon === undefined) return [];
    const master = 64 + 4 * config.limits.maxWorkers;
    // A connection, perhaps a file for its body; a channel for each worker.
    const router = 64 + 2 * config.router.maxConnections + config.limits.maxWorkers;
    const wanted: readonly (readonly [string, number, number])[] = [
      ['the daemon', daemon.pid, master],
      ...daemon.routers.filter(({ alive }) => alive).map(({ pid }) => ['a router', pid, router] as const),
    ];
    return wanted.flatMap(([who, pid, needed]): Ailment[] => {
      const found = machine.openFiles(pid);
      if (found === undefined || found.soft >= needed) return [];
      const most =
        config.router.maxConnections === configDefaults.router.max_connections ? '' : ' as configured';
      return [
        {
          about: `pid ${pid}`,
          message: `${who} may open too few files for ${config.router.maxConnections} connections and ${config.limits.maxWorkers} workers${most}`,
          found: `${found.soft} files`,
          expected: `at least ${needed}`,
          remedy: `prlimit --pid ${pid} --nofile=${needed}:${found.hard < needed ? needed : ''}   # for good: LimitNOFILE=${needed} in the unit`,
        },
      ];
    });
  },
};

export const processNumbers: Check = {
  id: 'process-numbers',
  severity: 'warning',
  title: 'the kernel allows too few processes for the workers that are allowed',
  examine: ({ config, machine }) => {
    const needed = 4 * config.limits.maxWorkers + 1000;
    const knobs = [
      ['kernel.pid_max', machine.pidMax()],
      ['kernel.threads-max', machine.threadsMax()],
    ] as const;
    return knobs
      .filter(([, value]) => value < needed)
      .map(([name, value]) => ({
        about: name,
        message: `${name} is low for ${config.limits.maxWorkers} workers and what their scripts start`,
        found: String(value),
        expected: `at least ${needed}`,
        remedy: `sysctl -w ${name}=${needed}   # for good: the same line in /etc/sysctl.d/guise.conf`,
      }));
  },
};

export const siteProcesses: Check = {
  id: 'site-processes',
  severity: 'warning',
  title: "a site's limit of processes is lower than its number of workers",
  examine: ({ config, registry }) => {
    const needed = new Map<number, number>();
    // RLIMIT_NPROC counts all processes of a user, those of his other sites among them: a template and the workers.
    for (const site of registry.sites)
      needed.set(site.user.uid, (needed.get(site.user.uid) ?? 0) + processesOf(site));
    return registry.sites.flatMap((site): Ailment[] => {
      const limit = site.limits.nproc;
      // Each with a template of its own, there are no more than that over all sites.
      const least = Math.min(needed.get(site.user.uid) ?? 0, 2 * config.limits.maxWorkers);
      if (limit === undefined || limit >= least) return [];
      return [
        {
          about: site.file,
          message: `${site.name} cannot start all of its workers: the limit counts every process of ${site.user.name}`,
          found: `nproc = ${limit}`,
          expected: `at least ${least}, and what scripts start besides`,
          remedy: `guise site set ${site.name} --set limits.nproc=${2 * least}`,
        },
      ];
    });
  },
};

function processesOf({ maxWorkers, spare }: Site): number {
  return 1 + maxWorkers + spare;
}
