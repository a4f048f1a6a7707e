/** The test's end of puppet.c: a hostile template, and hostile workers, at the test's command. */

import { chmodSync, chownSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/os/addon.js';
import { succeed } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import type { Guise, Site } from '../harness/guise.js';
import type { World } from '../harness/world.js';

/** Compiles the program; answers with its path. */
export async function compilePuppet(world: World): Promise<string> {
  const program = `${world.directory}/puppet`;
  const source = `${packageRoot()}/test/attack/puppet.c`;
  await succeed('/usr/bin/cc', [
    '-std=c11',
    '-D_GNU_SOURCE',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-o',
    program,
    source,
  ]);
  chmodSync(program, 0o755);
  return program;
}

export class Puppet {
  /** Numbers of the workers that the master has ordered. */
  readonly orders: number[] = [];
  readonly #socket: Socket;
  #pid = 0;
  #done: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => this.#done());
    const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const [word, number] = line.split(' ');
      if (word === 'order') this.orders.push(Number(number));
      else if (word === 'pid') this.#pid = Number(number);
      else this.#done();
    });
  }

  /** Listens for puppets of this site. Each answer of `next` is a template that has been started since. */
  static listen(world: World, site: Site): { next(): Promise<Puppet>; readonly started: number } {
    const waiting: Puppet[] = [];
    let started = 0;
    const path = `${site.root}/puppet.sock`;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      started += 1;
      sockets.add(socket);
      waiting.push(new Puppet(socket));
    }).listen(path);
    world.undo.push('close the puppet’s socket', () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    server.once('listening', () => {
      chmodSync(path, 0o777);
      chownSync(path, site.user.uid, site.user.gid);
    });
    return {
      next: () => until('a template', () => waiting.shift()),
      get started() {
        return started;
      },
    };
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Ends the template. */
  end(): void {
    this.#socket.destroy();
  }

  /** Gives a command and waits until it has been followed; answers with the pid that it tells, 0 if none. */
  async tell(command: string): Promise<number> {
    this.#pid = 0;
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      if (!this.isOpen) resolve();
      else this.#socket.write(`${command}\n`);
    });
    return this.#pid;
  }

  /** The number of a worker that has been ordered. */
  order(at = 0): Promise<number> {
    return until('an order', () => this.orders[at]);
  }
}

/** A report of the template, as in native/preload/protocol.h. */
export function report(type: number, worker: number, pid = 0, status = 0): string {
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(worker, 4);
  bytes.writeInt32LE(pid, 8);
  bytes.writeInt32LE(status, 12);
  return bytes.toString('hex');
}

export const ready = report(1, 0);

/** A site of alice's whose php-cgi is the puppet. */
export async function puppetSite(guise: Guise, program: string, name: string): Promise<Site> {
  const args = [
    '--php',
    program,
    '--set',
    'confine=off',
    '--set',
    'queue_timeout=2s',
    '--set',
    'time_limit=5s',
    // Whatever it does, it is to be heard.
    'quarantine_after=0',
  ];
  return guise.addSite({ name, user: 'alice', args });
}
