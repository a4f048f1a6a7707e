/**
 * Starts a program under an identity, with nothing of ours but what is listed. The work is done in C++ between
 * fork and exec (native/addon/launch_steps.cc has the order); here its failure becomes an error that names the step.
 */
import { GuiseError } from '../error.js';
import { addon, type NativeFailure } from './addon.js';
import { errnoName, forkHint } from './errno.js';

export type LimitName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'memlock'
  | 'msgqueue'
  | 'nofile'
  | 'nproc'
  | 'sigpending'
  | 'stack';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** All supplementary groups, complete: what is not listed here is lost. */
  readonly groups: readonly number[];
}

/**
 * What a program and all that it starts may reach, by absolute paths without symbolic links; everything that lies
 * beneath a directory goes with it. A path that does not exist is left out. File modes hold as before.
 */
export interface LandlockRules {
  /** To read, to list, and to execute. */
  readonly read: readonly string[];
  /** Besides, to write, create, remove, rename and truncate: everything but making device files. */
  readonly write: readonly string[];
  /** Device files: to read, to write, to control. */
  readonly devices: readonly string[];
}

export interface LaunchSpec {
  /** Absolute path: nothing is searched. */
  readonly file: string;
  /** The whole argv, its first element included. */
  readonly args: readonly string[];
  /** The complete environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /**
   * descriptors[i] here becomes descriptor i there; -1 stands for /dev/null. Every other one is closed, except that
   * 0, 1 and 2 are /dev/null when the list is shorter, so that no file the program opens can take their place.
   */
  readonly descriptors: readonly number[];
  /**
   * Absent: the program stays what we are, root. Present but undefined is refused, so that a failed lookup can
   * never start something as root. uid 0, gid 0 and group 0 are refused.
   */
  readonly identity?: Identity;
  readonly umask?: number;
  /** The niceness itself, -20 to 19, not a difference. */
  readonly nice?: number;
  /** How soon the kernel ends it when memory runs out, -1000 to 1000: proc_pid_oom_score_adj(5). */
  readonly outOfMemoryScore?: number;
  /** A descriptor of a directory of cgroup version 2: the program is born there, cgroups(7). Stays the caller's. */
  readonly cgroup?: number;
  /** Each value is both the soft and the hard limit; Infinity lifts it. Bytes, seconds or a count: setrlimit(2). */
  readonly limits?: Readonly<Partial<Record<LimitName, number>>>;
  readonly noNewPrivileges?: boolean;
  /**
   * Absent: files are protected by their modes alone. Entered while we still are root, so that setgid programs keep
   * working; the kernel must have Landlock (src/os/landlock.ts tells). Present but undefined is refused.
   */
  readonly landlock?: LandlockRules;
  /** setsid(2): a session and a process group of its own. */
  readonly newSession: boolean;
  /** The signal that the program gets when the process that started it dies. */
  readonly parentDeathSignal?: number;
}

/**
 * Starts a program and returns once the kernel has accepted it (execve(2) has succeeded).
 *
 * @throws GuiseError LAUNCH_FAILED with `step`, `syscall`, `errno`, and `file`: the program, or the path at fault. The
 * steps, in order: arguments, identity, pipe, fork, descriptors, session, umask, limits, nice, oom_score, landlock, groups, gid,
 * uid, proof, no_new_privs, parent_death_signal, signals, cwd, exec. Nothing is left behind: the child has been
 * waited for.
 */
export function launch(spec: LaunchSpec): { pid: number } {
  const plan = {
    ...spec,
    env: Object.entries(spec.env).map(([name, value]) => `${environmentName(spec.file, name)}=${value}`),
    limits: Object.entries(spec.limits ?? {}),
  };
  const result = addon.launch(plan);
  if (typeof result === 'number') return { pid: result };
  throw failure(spec.file, result);
}

function failure(file: string, { step, syscall, errno, where }: NativeFailure): GuiseError {
  const at = where === undefined ? '' : ` at ${where}`;
  const text = `Cannot start ${file}: failed at step ${step} (${syscall}: ${errnoName(errno)})${at}${step === 'exec' ? forkHint(errno) : ''}`;
  return new GuiseError('LAUNCH_FAILED', text, { step, syscall, errno, file: where ?? file });
}

/** A name with a '=' in it would be read as another variable. */
function environmentName(file: string, name: string): string {
  if (name === '' || name.includes('='))
    throw failure(file, { step: 'arguments', syscall: 'execve', errno: 22 });
  return name;
}
