/**
 * A real php-cgi with the preload library, driven over its channels as master and router would: one site, one
 * template, workers on demand. Runs as an unprivileged numeric user, so that owners and modes mean something.
 */

import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  orderBytes,
  type Report,
  readReport,
  reportBorn,
  reportBytes,
  reportReady,
  writeForkOrder,
} from '../../src/control/template-messages.js';
import {
  jobBodyFile,
  jobHeaderBytes,
  type Note,
  noteBytes,
  noteStarted,
  readNote,
  writeJobHeader,
} from '../../src/control/worker-messages.js';
import { RecordType } from '../../src/fastcgi/constants.js';
import { encodePairs } from '../../src/fastcgi/encode.js';
import { RecordDecoder } from '../../src/fastcgi/records.js';
import { preloadLibrary } from '../../src/os/addon.js';
import { errno } from '../../src/os/errno.js';
import { type LaunchSpec, launch } from '../../src/os/launch.js';
import { pidfdOpen, pidfdSignal } from '../../src/os/process.js';
import { reap } from '../../src/os/reap.js';
import {
  close,
  passCredentials,
  receive,
  receiveMessage,
  sendMessage,
  seqpacketPair,
  setBlocking,
  streamPair,
  unconnectedSocket,
} from '../../src/os/socket.js';

export const siteUid = 64_901;
export const siteGid = 64_902;
const patienceMs = 10_000;

export interface Answer {
  /** What PHP wrote to STDOUT, headers included; empty for a refusal. */
  readonly stdout: string;
  readonly stderr: string;
  readonly notes: Note[];
  /** The last note. */
  readonly note: Note;
}

export interface RigOptions {
  readonly oneJob?: boolean;
  readonly phpArgs?: readonly string[];
  readonly owners?: string;
  /** Memory for its workers' slates. */
  readonly shared?: number;
  /** setrlimit(2). */
  readonly limits?: LaunchSpec['limits'];
}

export class Rig {
  readonly root: string;
  readonly directory: string;
  templatePid = 0;
  workerPid = 0;
  #master = -1;
  #job = -1;
  #pidfd = -1;
  #sequence = 0;
  readonly #options: RigOptions;
  readonly #info = new Int32Array(9);

  constructor(options: RigOptions = {}) {
    this.#options = options;
    this.directory = mkdtempSync('/tmp/guise-rig-');
    chmodSync(this.directory, 0o755);
    this.root = `${this.directory}/www`;
    mkdirSync(this.root);
    chownSync(this.root, siteUid, siteGid);
  }

  /** A file below the root, the site's own unless said otherwise. Directories on the way are made the same. */
  file(name: string, content: string, owner = siteUid, mode = 0o644, group = siteGid): string {
    const path = name.startsWith('/') ? name : `${this.root}/${name}`;
    this.#directories(dirname(path));
    writeFileSync(path, content);
    chownSync(path, owner, group);
    chmodSync(path, mode);
    return path;
  }

  async start(): Promise<void> {
    const [ours, theirs] = seqpacketPair();
    setBlocking(theirs, true);
    const listener = unconnectedSocket();
    this.templatePid = launch({
      file: '/usr/bin/php-cgi',
      args: ['/usr/bin/php-cgi', '-d', 'opcache.enable=1', ...(this.#options.phpArgs ?? [])],
      env: {
        LD_PRELOAD: preloadLibrary(),
        GUISE_SITE: 'rig.test',
        GUISE_ROOT: this.root,
        GUISE_SUFFIXES: '.php:.phtml',
        GUISE_OWNERS: this.#options.owners ?? '',
        ...(this.#options.shared === undefined ? {} : { GUISE_SHARED: '1' }),
        PHP_FCGI_MAX_REQUESTS: '0',
        PATH: '/usr/bin:/bin',
      },
      cwd: '/',
      descriptors: [
        listener,
        -1,
        -1,
        theirs,
        ...(this.#options.shared === undefined ? [] : [this.#options.shared]),
      ],
      identity: { uid: siteUid, gid: siteGid, groups: [siteGid] },
      newSession: true,
      ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
    }).pid;
    this.#pidfd = pidfdOpen(this.templatePid);
    close(theirs);
    close(listener);
    this.#master = ours;
    passCredentials(ours);
    const ready = await this.report();
    if (ready.type !== reportReady) throw new Error(`expected the template to be ready, got ${ready.type}`);
  }

  /** Forks a worker; its number is `worker`. */
  async fork(worker: number): Promise<void> {
    const order = Buffer.alloc(orderBytes);
    const [ours, theirs] = seqpacketPair();
    setBlocking(theirs, true);
    writeForkOrder(order, { worker, oneJob: this.#options.oneJob === true, isDirect: false, slot: 0 });
    sendMessage(this.#master, order, 0, orderBytes, theirs, -1);
    close(theirs);
    if (this.#job >= 0) close(this.#job);
    this.#job = ours;
    const born = await this.report();
    if (born.type !== reportBorn || born.worker !== worker) throw new Error('expected the worker to be born');
    this.workerPid = this.#info[5] ?? -1;
  }

  /** The next report of the template; the sender as the kernel knows it is in `info`. */
  async report(): Promise<Report> {
    const buffer = Buffer.alloc(reportBytes);
    const length = await until(() => receiveMessage(this.#master, buffer, this.#info));
    const report = readReport(buffer, length);
    if (report === undefined) throw new Error(`a report of ${length} bytes`);
    return report;
  }

  /** Runs one request on the current worker. */
  async run(params: Readonly<Record<string, string>>, body = Buffer.alloc(0), bodyFd = -1): Promise<Answer> {
    const pairs = encodePairs(Object.entries(params));
    return this.runRaw(pairs, body, bodyFd);
  }

  /** Gives the current worker its next job, and returns the web server's end of the connection. */
  send(params: Buffer, body = Buffer.alloc(0), bodyFd = -1): number {
    const [ours, theirs] = streamPair();
    const job = Buffer.alloc(jobHeaderBytes + params.length + (bodyFd < 0 ? body.length : 0));
    writeJobHeader(job, {
      sequence: ++this.#sequence,
      requestId: 1,
      flags: bodyFd < 0 ? 0 : jobBodyFile,
      paramsLength: params.length,
      bodyLength: body.length,
    });
    params.copy(job, jobHeaderBytes);
    if (bodyFd < 0) body.copy(job, jobHeaderBytes + params.length);
    sendMessage(this.#job, job, 0, job.length, theirs, bodyFd);
    close(theirs);
    return ours;
  }

  async runRaw(params: Buffer, body = Buffer.alloc(0), bodyFd = -1): Promise<Answer> {
    const ours = this.send(params, body, bodyFd);
    const { stdout, stderr } = await readAnswer(ours);
    close(ours);
    const notes: Note[] = [];
    do notes.push(await this.#note());
    while (notes.at(-1)?.type === noteStarted);
    return { stdout, stderr, notes, note: notes.at(-1) as Note };
  }

  async #note(): Promise<Note> {
    const buffer = Buffer.alloc(noteBytes + 1);
    const length = await until(() => receive(this.#job, buffer, 0, buffer.length));
    const note = readNote(buffer, length);
    if (note === undefined) throw new Error(`the worker's channel gave ${length} bytes instead of a note`);
    return note;
  }

  /** Ends the worker as the router does: by closing its channel. */
  releaseWorker(): void {
    close(this.#job);
    this.#job = -1;
  }

  /** Ends the template as a master that goes away does. */
  releaseMaster(): void {
    close(this.#master);
    this.#master = -1;
  }

  async stop(): Promise<void> {
    if (this.#job >= 0) close(this.#job);
    if (this.#master >= 0) close(this.#master);
    if (this.#pidfd >= 0) {
      pidfdSignal(this.#pidfd, 9);
      await until(() => (reap()?.pid === this.templatePid ? 1 : -errno.EAGAIN));
      close(this.#pidfd);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  #directories(path: string): void {
    if (path.length <= this.root.length || !path.startsWith(this.root)) return;
    this.#directories(dirname(path));
    mkdirSync(path, { recursive: true });
    chownSync(path, siteUid, siteGid);
  }
}

/** Everything up to the end of the connection, by record type. */
async function readAnswer(fd: number): Promise<{ stdout: string; stderr: string }> {
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(64 * 1024);
  for (;;) {
    const length = await until(() => receive(fd, buffer, 0, buffer.length));
    if (length <= 0) break;
    chunks.push(Buffer.from(buffer.subarray(0, length)));
  }
  return split(Buffer.concat(chunks));
}

function split(bytes: Buffer): { stdout: string; stderr: string } {
  const decoder = new RecordDecoder();
  const parts: { [type: number]: string } = {};
  for (let at = 0; ; at = decoder.position) {
    const step = decoder.next(bytes, at, bytes.length);
    if (step === 'more') break;
    if (step === 'broken') throw new Error('the worker did not write FastCGI');
    if (step !== 'content') continue;
    const { type, contentStart, contentEnd } = decoder;
    parts[type] = (parts[type] ?? '') + bytes.toString('utf8', contentStart, contentEnd);
  }
  return { stdout: parts[RecordType.STDOUT] ?? '', stderr: parts[RecordType.STDERR] ?? '' };
}

/** Tries until the result is not EAGAIN. */
export async function until(attempt: () => number): Promise<number> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const result = attempt();
    if (result !== -errno.EAGAIN) return result;
    if (performance.now() > end) throw new Error(`nothing came within ${patienceMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
