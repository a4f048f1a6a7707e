/**
 * Finds and loads the native addon, and names what it offers. Only the files of this folder use it.
 *
 * The native side has one rule: a call returns a number, and a negative one is the error number with its sign
 * turned round. It throws only when it is given a value of the wrong type, which is a bug.
 */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GuiseError } from '../error.js';

export interface NativeIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** What a failed launch or change of user reports: where it stopped and why. */
export interface NativeFailure {
  readonly step: string;
  readonly syscall: string;
  readonly errno: number;
  /** The path that it was about, where it was about one. */
  readonly where?: string;
}

export interface NativeUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  readonly groups: number[];
}

/** One epoll instance under libuv's watch: see poller.ts, which is its other half. */
export interface NativePoller {
  add(fd: number, generation: number, interest: number): number;
  change(fd: number, generation: number, interest: number): number;
  remove(fd: number): number;
  renew(): number;
  close(): void;
  ref(): void;
  unref(): void;
}

export interface Addon {
  launch(plan: object): number | NativeFailure;
  reap(out: Float64Array): number;
  becomeSubreaper(): number;
  pidfdOpen(pid: number): number;
  pidfdRealUid(pidfd: number): number;
  pidfdSignal(pidfd: number, signal: number): number;
  setDumpable(dumpable: boolean): number;
  endChildren(parent: number, spare: Int32Array, uids: Int32Array, budgetUs: number): number;
  childrenOf(parent: number): number[] | number;
  landlockAbi(): number;
  mountTmpfs(path: string, options: string, again: boolean): number;
  unmount(path: string): number;

  userByName(name: string): NativeUser | number;
  userByUid(uid: number): NativeUser | number;
  groupByName(name: string): { name: string; gid: number } | number;
  groupByGid(gid: number): { name: string; gid: number } | number;
  becomeUser(identity: NativeIdentity): 0 | NativeFailure;

  accept(fd: number, uid: Int32Array): number;
  receive(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  send(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  tcpPeerUid(fd: number): number;
  shutdown(fd: number, how: number): number;
  endConnection(fd: number): number;
  close(fd: number): number;

  sendMessage(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    fd1: number,
    fd2: number,
  ): number;
  receiveMessage(fd: number, buffer: Uint8Array, out: Int32Array): number;

  socket(family: number, type: number): number;
  bindUnix(fd: number, path: string): number;
  bindInternet(fd: number, family: number, host: string, port: number): number;
  listen(fd: number, backlog: number): number;
  socketPair(type: number, out: Int32Array): number;
  setBlocking(fd: number, blocking: boolean): number;
  passCredentials(fd: number): number;
  peerCredentials(fd: number, out: Int32Array): number;

  extendedAttribute(path: string, name: string): string | number;
  memfd(name: string): number;
  sharedMemory(name: string, bytes: number): number;
  mapSharedMemory(fd: number): ArrayBuffer | number;
  tmpfile(dir: string): number;
  lockFile(fd: number): number;

  Poller: new (batch: Int32Array, dispatch: (count: number) => void) => NativePoller;
}

/**
 * The directory that holds package.json and native/. A build may live outside the checkout with nothing but a link
 * to its node_modules: then it is the directory that the link leads to.
 */
export function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let dir = start; ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json'))) {
      if (existsSync(join(dir, 'native'))) return dir;
      const modules = join(dir, 'node_modules');
      const behind = existsSync(modules) ? dirname(realpathSync(modules)) : dir;
      if (existsSync(join(behind, 'native'))) return behind;
    }
    if (dirname(dir) === dir) break;
  }
  throw missing(join(start, 'native'));
}

function missing(file: string, cause?: unknown): GuiseError {
  const text = `The native part of guise cannot be loaded from ${file}: run npm install in its directory.`;
  return new GuiseError('SETUP_FAILED', text, { file, remedy: 'npm install' }, cause);
}

function built(name: string): string {
  return join(packageRoot(), 'native', 'build', 'Release', name);
}

function load(): Addon {
  const file = built('guise.node');
  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch (cause) {
    throw missing(file, cause);
  }
}

export const addon: Addon = load();

/** The path of the library that is preloaded into php-cgi. Throws SETUP_FAILED when it was not built. */
export function preloadLibrary(): string {
  return demandBuilt('guise_preload.so');
}

/** The path of the program that makes the script check dry. Throws SETUP_FAILED when it was not built. */
export function scriptCheckProgram(): string {
  return demandBuilt('guise-script-check');
}

/** The path of the program that reads a worker's PHP stack. Throws SETUP_FAILED when it was not built. */
export function stackProgram(): string {
  return demandBuilt('guise-php-stack');
}

function demandBuilt(name: string): string {
  const file = built(name);
  if (!existsSync(file)) throw missing(file);
  return file;
}
