/**
 * The PHP stack of a slow request, read from outside its worker: a program of the site's user gets the worker's memory
 * as a descriptor, and the router what the program says. Nothing that lies in that memory, and nothing that comes
 * of it, is read here. The worker is neither stopped nor signalled.
 *
 * Privilege: root, to open /proc/PID/mem: workers are not dumpable. The descriptor is for reading only.
 */

import { closeSync, openSync } from 'node:fs';
import type { StackProblem } from '../control/router-messages.js';
import { landlockSupport } from '../os/landlock.js';
import { launch } from '../os/launch.js';
import { pidfdOpen, pidfdSignal } from '../os/process.js';
import { close, seqpacketPair, setBlocking } from '../os/socket.js';
import type { Site } from '../site/site.js';
import type { Engine } from './worker-table.js';

/** At the same time, of all sites. */
const mostAtOnce = 4;
const patienceMs = 2000;
const SIGKILL = 9;

export class StackReaders {
  readonly #program: string;
  readonly #directory: string;
  readonly #running = new Map<number, () => void>();

  /** @param program a copy that site users can run and not read, in a directory of such things */
  constructor(program: string, directory: string) {
    this.#program = program;
    this.#directory = directory;
  }

  get pids(): number[] {
    return [...this.#running.keys()];
  }

  /** A descriptor on which the stack will arrive in one message, the caller's; or why there is none. */
  read(site: Site, pid: number, engine: Engine): number | StackProblem {
    if (this.#running.size >= mostAtOnce) return 'busy';
    if (pid <= 0) return 'unreadable';
    const [ours, theirs] = seqpacketPair();
    try {
      setBlocking(theirs, true);
      this.#start(site, pid, engine, theirs);
      return ours;
    } catch {
      close(ours);
      return 'unreadable'; // its process has ended, or cannot be looked into here
    } finally {
      close(theirs);
    }
  }

  childDied(pid: number): boolean {
    const done = this.#running.get(pid);
    done?.();
    return this.#running.delete(pid);
  }

  #start(site: Site, worker: number, engine: Engine, output: number): void {
    const opened: number[] = [];
    const open = (path: string): number => {
      const fd = openSync(path, 'r');
      opened.push(fd);
      return fd;
    };
    try {
      const descriptors = [-1, output, -1, open(this.#program), open(`/proc/${worker}/mem`)];
      const landlock = { read: [this.#directory], write: [], devices: [] };
      const { uid, gid, groups } = site.user;
      const { pid } = launch({
        file: '/proc/self/fd/3',
        args: ['guise-php-stack', String(engine.globals), String(engine.version)],
        env: {},
        cwd: '/',
        descriptors,
        identity: { uid, gid, groups },
        limits: { core: 0, cpu: 1, fsize: 0 },
        noNewPrivileges: true,
        newSession: true,
        ...(landlockSupport().abi > 0 ? { landlock } : {}),
      });
      this.#watch(pid);
    } finally {
      for (const fd of opened) closeSync(fd);
    }
  }

  #watch(pid: number): void {
    const pidfd = pidfdOpen(pid);
    const timer = setTimeout(() => {
      pidfdSignal(pidfd, SIGKILL);
    }, patienceMs);
    this.#running.set(pid, () => {
      clearTimeout(timer);
      close(pidfd);
    });
  }
}
