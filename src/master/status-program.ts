/**
 * The status application: a program like those of sites, on `status.sock`, started when a web server asks and stopped
 * when none does. It is nobody's site: it takes no place of a worker, so it also answers when every pool is full.
 *
 * Privilege: root. It starts as root for the same reason as the router (docs/decisions), and becomes the router's user.
 */

import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { UserEntry } from '../os/identity.js';
import { launch } from '../os/launch.js';
import type { Poller } from '../os/poller.js';
import { close, streamPair } from '../os/socket.js';
import { userVariable } from '../os/started-as.js';
import { connectionsAt } from '../os/unix-sockets.js';
import { isolationDefaults, isolationOf } from '../site/isolation.js';
import { processDefaults, processesOf } from '../site/processes.js';
import { recordingDefaults, recordingOf } from '../site/recording.js';
import { type Site, statusSocketPath } from '../site/site.js';
import { statusKey } from '../site/status-key.js';
import type { Housekeeper } from './housekeeper.js';
import { openListener } from './listeners.js';
import { Lives } from './lives.js';
import type { LogFile } from './log-file.js';
import { ProgramLane } from './program-lane.js';
import type { Programs } from './program-process.js';
import { routerConfinement } from './router-confinement.js';
import { SiteRuntime } from './site-runtime.js';
import { WorkerBudget } from './worker-budget.js';

export interface StatusProgramSetup {
  readonly config: Config;
  readonly poller: Poller;
  readonly log: Logger;
  readonly logFile: LogFile;
  /** Whom it runs as. */
  readonly user: UserEntry;
  readonly webUsers: readonly UserEntry[];
  readonly housekeeper: Housekeeper;
}

export class StatusProgram {
  readonly #runtime: SiteRuntime;
  readonly #path: string;
  readonly #listener: number;

  /** @throws GuiseError SYSCALL_FAILED when the socket cannot be made */
  constructor(setup: StatusProgramSetup) {
    const { config, poller, log, webUsers, housekeeper } = setup;
    this.#path = statusSocketPath(config.paths.run);
    const listener = openListener(this.#path, webUsers);
    this.#listener = listener;
    const connections = () => connectionsAt(this.#path);
    const nowMs = (): number => performance.now();
    this.#runtime = new SiteRuntime(0, application(config), {
      poller,
      log,
      library: '',
      budget: new WorkerBudget(1),
      prepare: () => {
        throw new Error('the status application has no directories');
      },
      requireConfinement: () => false,
      housekeeper,
      groups: { enter: () => -1 },
      programs: programs(setup),
      lane: (owner) => {
        const { site } = owner;
        return new ProgramLane({ site, listener, connections, poller, log, nowMs }, owner.asLaneSite());
      },
      lives: () => new Lives(),
      expectOrphans: () => undefined,
      quarantined: () => undefined,
      nowMs,
    });
  }

  /** A child of the master has ended: was it this one? */
  childDied(pid: number, exitCode: number | null, signal: number | null): boolean {
    return this.#runtime.childDied(pid, exitCode, signal);
  }

  /** Nobody can ask any more; what is being answered may finish. */
  close(): void {
    this.#runtime.close();
    close(this.#listener);
    rmSync(this.#path, { force: true });
  }
}

/** @returns undefined where it is switched off */
export function startStatus(setup: StatusProgramSetup): StatusProgram | undefined {
  return setup.config.status.enabled ? new StatusProgram(setup) : undefined;
}

/** As a site that has a command, so that it is treated like one. */
function application(config: Config): Site {
  return {
    name: 'guise-status',
    aliases: [],
    file: config.file,
    root: '/',
    realRoot: '/',
    // Until it has become the router's user by itself.
    user: { name: 'root', uid: 0, gid: 0, home: '/', shell: '', groups: [0] },
    enabled: true,
    visitors: {},
    mode: 'pool',
    socket: 'own',
    dispatch: 'program',
    command: [process.execPath],
    php: '',
    keys: [],
    keyring: [],
    keyRequired: false,
    maxWorkers: 1,
    maxRequests: 0,
    maxMemoryBytes: 0,
    maxAgeMs: 0,
    quarantineAfter: 0,
    weight: 1,
    spare: 0,
    timeLimitMs: 10_000,
    idleTimeoutMs: config.status.idleTimeoutMs,
    queueLength: 0,
    queueTimeoutMs: 0,
    maxBodyBytes: 0,
    suffixes: [],
    trustedOwners: [],
    trustedUids: [],
    env: {},
    phpIni: { set: {}, lock: {} },
    umask: 0o077,
    limits: {},
    ...processesOf(processDefaults),
    ...recordingOf(recordingDefaults),
    ...isolationOf(isolationDefaults),
  };
}

function programs({ config, logFile, user, webUsers }: StatusProgramSetup): Programs {
  // The end of this pair tells it that the master is gone: a signal for that is lost when a process changes its user.
  const lifelines = new Map<number, number>();
  return {
    start: ({ site }, listener) => {
      const [ours, theirs] = streamPair();
      const landlock = routerConfinement();
      try {
        const { pid } = launch({
          file: process.execPath,
          args: [
            'guise: status',
            '--max-old-space-size=64',
            fileURLToPath(new URL('../status/main.js', import.meta.url)),
          ],
          env: environment(config, user, webUsers),
          cwd: '/',
          descriptors: [listener, logFile.fd, logFile.fd, theirs],
          umask: site.umask,
          limits: { core: 0, nofile: 256 },
          noNewPrivileges: true,
          newSession: true,
          ...(landlock === undefined ? {} : { landlock }),
        });
        lifelines.set(pid, ours);
        return pid;
      } catch (thrown) {
        close(ours);
        throw thrown;
      } finally {
        close(theirs);
      }
    },
    ended: (_site, pid) => {
      close(lifelines.get(pid) ?? -1);
      lifelines.delete(pid);
    },
  };
}

function environment(
  config: Config,
  user: UserEntry,
  webUsers: readonly UserEntry[],
): Record<string, string> {
  return {
    [userVariable]: `${user.uid}:${user.gid}:${user.groups.join(',')}`,
    GUISE_STATUS_RUN: config.paths.run,
    GUISE_STATUS_CONFIG: config.file,
    GUISE_STATUS_KEY: statusKey(config.paths.state),
    GUISE_STATUS_PEERS: webUsers.map(({ uid }) => uid).join(','),
    GUISE_STATUS_PATH: config.status.path,
    GUISE_STATUS_PING: config.status.pingPath,
    ...(process.env.TZ === undefined ? {} : { TZ: process.env.TZ }),
  };
}
