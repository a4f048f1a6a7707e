/**
 * Programs that are run to their end, and programs that are started to stay. Both get a small environment of
 * their own: what the caller happens to have set (NODE_OPTIONS, locale, PHP's variables) must not decide
 * how guise, Apache or useradd behave.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { GuiseError } from '../error.js';
import { until } from './until.js';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** env(1) clears the environment in between, since tap adds NODE_OPTIONS to whatever a test starts. */
const clean = ['-i', `PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, 'LC_ALL=C.UTF-8'];
const longestMs = 60_000;

/** Runs a program to its end and answers with its exit code (128 + 9 when it was killed) and what it said. */
export function finish(file: string, args: readonly string[], input = ''): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 ** 2, timeout: longestMs, killSignal: 'SIGKILL' } as const;
    const child = execFile('/usr/bin/env', [...clean, file, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else if (error.signal) resolve({ code: 137, stdout, stderr });
      else reject(new GuiseError('SETUP_FAILED', `could not run ${file}: ${error.message}`, {}, error));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs a program that must succeed and answers with what it printed. Throws GuiseError SETUP_FAILED otherwise. */
export async function succeed(file: string, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await finish(file, args, input);
  if (code === 0) return stdout;
  const words = (stderr.trim() || stdout.trim()).split('\n').slice(-10).join('\n');
  throw new GuiseError('SETUP_FAILED', `${file} ${args.join(' ')}: exit code ${code}: ${words}`);
}

/** A program that stays until it is told to stop. */
export interface Service {
  readonly pid: number;
  /** Undefined while it runs. */
  exit(): { code: number | null; signal: NodeJS.Signals | null } | undefined;
  /** Sends the signal, waits for the end, and kills it when `patienceMs` are over: then it throws. */
  stop(signal?: NodeJS.Signals, patienceMs?: number): Promise<void>;
}

/**
 * Starts a program in its own session, so that Ctrl-C reaches only us and we decide in which order things end.
 * Its output goes to the file `output`.
 */
export function startService(file: string, args: readonly string[], output: string, cwd = '/'): Service {
  const out = openSync(output, 'a', 0o600);
  const child = spawn('/usr/bin/env', [...clean, file, ...args], {
    stdio: ['ignore', out, out],
    detached: true,
    cwd,
  });
  closeSync(out);
  const pid = child.pid;
  if (pid === undefined) throw new GuiseError('SETUP_FAILED', `could not start ${file}`);
  child.on('error', () => undefined);
  // The last resort when this process ends without having cleaned up: nothing that we started may stay.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.removeListener('exit', kill));
  return {
    pid,
    exit: () => exitOf(child),
    stop: (signal, patienceMs) => stop(child, file, signal, patienceMs),
  };
}

function exitOf(child: ChildProcess): { code: number | null; signal: NodeJS.Signals | null } | undefined {
  if (child.exitCode === null && child.signalCode === null) return undefined;
  return { code: child.exitCode, signal: child.signalCode };
}

async function stop(
  child: ChildProcess,
  file: string,
  signal: NodeJS.Signals = 'SIGTERM',
  patienceMs = 15_000,
): Promise<void> {
  if (exitOf(child) !== undefined) return;
  child.kill(signal);
  try {
    await until(`the end of ${file} after ${signal}`, () => exitOf(child), patienceMs);
  } catch (thrown) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    throw thrown;
  }
}
