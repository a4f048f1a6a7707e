/**
 * Starts programs through the launcher itself, keeps what they write, and waits for their end. node:child_process
 * cannot be used beside it: reap() would take its children away.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LaunchSpec, launch } from '../../src/os/launch.js';
import { type Death, reap } from '../../src/os/reap.js';
import { close, memfd } from '../../src/os/socket.js';

const patienceMs = 20_000;
const collected = new Map<number, Death>();
let wake: () => void = () => {};
process.on('SIGCHLD', () => wake());

/** Waits until this child has ended; others that end in the meantime are kept for their own callers. */
export async function deathOf(pid: number): Promise<Death> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    for (let death = reap(); death !== undefined; death = reap()) collected.set(death.pid, death);
    const death = collected.get(pid);
    if (death !== undefined) return death;
    if (Date.now() > deadline) throw new Error(`process ${pid} has not ended`);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Looks again and again, for at most 20 seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export type Partly = Partial<LaunchSpec> & Pick<LaunchSpec, 'file' | 'args'>;

export function planned(spec: Partly): LaunchSpec {
  return { env: {}, cwd: '/', descriptors: [-1, 1, 2], newSession: false, ...spec };
}

export interface Ended {
  death: Death;
  /** What it wrote to descriptors 1 and 2. */
  output: string;
}

/** Runs a program to its end. Descriptors from 3 on can be given. */
export async function run(spec: Partly, more: readonly number[] = []): Promise<Ended> {
  const out = memfd('output');
  try {
    const { pid } = launch(planned({ descriptors: [-1, out, out, ...more], ...spec }));
    const death = await deathOf(pid);
    return { death, output: readFileSync(`/proc/self/fd/${out}`, 'utf8') };
  } finally {
    close(out);
  }
}

/** The argv that runs one of the programs beside this file in Node. */
export function nodeProgram(name: string, ...args: string[]): string[] {
  return ['node', fileURLToPath(new URL(name, import.meta.url)), ...args];
}

/** The fields of a /proc/PID/status. */
export function statusFields(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

/** How many descriptors this process has open, the one that reads the directory included. */
export function descriptorCount(): number {
  return readdirSync('/proc/self/fd').length;
}

/** How many sockets it has. Node opens other descriptors when it pleases. */
export function socketCount(): number {
  return readdirSync('/proc/self/fd').filter((fd) => targetOf(fd).startsWith('socket:')).length;
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
