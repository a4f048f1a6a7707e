/** A control server over a master that is only a table, in a directory of its own. */

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import type { Test } from 'tap';
import { noFigures } from '../../src/account/figures.js';
import type { MasterApi, SiteStatus, StatusReport } from '../../src/control/api.js';
import { figuresReport } from '../../src/control/figures-report.js';
import { controlPath, startControlServer } from '../../src/control/server.js';
import { SiteCatalog } from '../../src/site/registry.js';
import { type Instance, makeInstance } from '../site/instance.js';

export interface FakeDaemon extends Instance {
  readonly socket: string;
  /** What the master was asked to do. */
  readonly calls: string[];
  readonly problems: unknown[];
  /** What the next reload or status throws. */
  failure: Error | undefined;
  /** The process that it says it is. */
  pid: number;
  /** Sites in its status beside a.example, which is games'. */
  readonly others: SiteStatus[];
  /** How far the clock goes on at each look: far enough that nobody has asked too much. */
  clockStepMs: number;
  /** Reads the files of sites again. */
  readonly reread: () => void;
  readonly close: () => Promise<void>;
}

export function startFakeDaemon(t: Test, toml = '', timeoutMs = 10_000): FakeDaemon {
  const instance = makeInstance(t, toml);
  const config = instance.config();
  mkdirSync(config.paths.run);
  // Other users must reach the socket, so that it is the socket that turns them away.
  for (const directory of [instance.directory, config.paths.run]) chmodSync(directory, 0o755);
  const calls: string[] = [];
  const problems: unknown[] = [];
  let registry = SiteCatalog.read(config);
  const check = (): void => {
    if (daemon.failure !== undefined) throw daemon.failure;
  };
  const api: MasterApi = {
    config: () => config,
    registry: () => registry,
    isOwner: (uid) => registry.sites.some((site) => site.user.uid === uid),
    ping: () => ({ pid: daemon.pid, version: '9.9.9', uptimeMs: 61_000 }),
    status: async () => {
      check();
      return statusOf(registry.parked, daemon.others);
    },
    reload: async () => {
      check();
      calls.push('reload');
      registry = SiteCatalog.read(config);
      return {
        added: ['new.example'],
        changed: [],
        removed: [],
        unchanged: 2,
        parked: registry.parked,
        kept: [],
      };
    },
    reopen: () => {
      calls.push('reopen');
    },
    stop: async () => {
      calls.push('stop');
    },
    applySite: async (name) => {
      calls.push(`apply ${name}`);
      registry = SiteCatalog.read(config);
    },
    restartSite: async (name) => {
      calls.push(`restart ${name}`);
    },
    liftQuarantine: async (name) => {
      calls.push(`lift ${name}`);
    },
  };
  const path = controlPath(config.paths.run);
  let clockMs = 0;
  const server = startControlServer(api, {
    path,
    timeoutMs,
    onProblem: (problem) => problems.push(problem),
    nowMs: () => {
      clockMs += daemon.clockStepMs;
      return clockMs;
    },
  });
  const daemon: FakeDaemon = {
    ...instance,
    socket: path,
    calls,
    problems,
    failure: undefined,
    pid: process.pid,
    others: [],
    clockStepMs: 60_000,
    reread: () => {
      registry = SiteCatalog.read(config);
    },
    close: server.close,
  };
  t.teardown(() => server.close());
  return daemon;
}

const lives = { workers: 4, templates: 1, failedStarts: 0, deaths: { SIGSEGV: 1 } };

function statusOf(parked: StatusReport['parked'], others: readonly SiteStatus[]): StatusReport {
  return {
    version: '9.9.9',
    pid: process.pid,
    startedAt: '2030-01-01T00:00:00.000Z',
    uptimeMs: 61_000,
    routers: [{ pid: 7, alive: true, answers: true, restarts: 0 }],
    totals: {
      ...figuresReport(noFigures()),
      sites: 1,
      workers: { total: 3, busy: 1, idle: 2, starting: 0, limit: 256 },
      queued: 4,
      lives,
      memory: { rssBytes: 30_000_000, pssBytes: 9_000_000 },
    },
    siteless: figuresReport(noFigures()),
    sites: [
      {
        ...figuresReport(noFigures()),
        name: 'a.example',
        state: 'active',
        user: 'games',
        uid: 5,
        mode: 'pool',
        socket: 'shared',
        inForceSince: '2030-01-01T00:00:00.000Z',
        workers: { total: 3, busy: 1, idle: 2, starting: 0, limit: 8, maxBusy: 3, limitReached: 0 },
        queue: { length: 4, limit: 100, maxLength: 9 },
        lives,
        served: 123,
        refused: 5,
        crashed: 1,
        workerPids: [1, 2, 3],
        lastProblem: 'worker 2 was killed by SIGSEGV',
      },
      ...others,
    ],
    parked,
    kept: [],
  };
}

/** Everything that comes back for these bytes. */
export function exchange(path: string, bytes: string, end = true): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    if (end) socket.end(bytes);
    else socket.write(bytes);
  });
}

export interface Reply {
  readonly status: number;
  readonly head: string;
  readonly body: unknown;
}

export async function askDaemon(
  daemon: FakeDaemon,
  method: string,
  path: string,
  body?: string,
): Promise<Reply> {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const request = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n${body ?? ''}`;
  const [head = '', payload = ''] = (await exchange(daemon.socket, request)).split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: payload === '' ? undefined : JSON.parse(payload) };
}

/** What a Node script prints that runs as another user. `env -i` sheds what tap adds to every child, which would speak too. */
export function runAs(uid: number, gid: number, script: string): Promise<string> {
  const words = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    'env',
    '-i',
    process.execPath,
    '-e',
    script,
  ];
  return new Promise((resolve) => {
    execFile('setpriv', words, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}
