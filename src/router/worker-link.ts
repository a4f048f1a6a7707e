/**
 * The router's end of one worker's job channel: sends jobs, reads notes. A worker runs its site's code, so its notes
 * are read with fixed sizes and are about its own job only; any other message ends the worker's channel.
 *
 * A worker with a slate writes its notes there, and sends one only where somebody waits for the end of its job
 * (`wantNote`). Otherwise the end is found when the slate is looked at (`look`).
 */

import type { Slate } from '../control/slate.js';
import {
  jobBodyFile,
  jobHeaderBytes,
  jobKeep,
  jobMaxBytes,
  jobOwesEnd,
  type Note,
  noteBytes,
  noteStarted,
  readNote,
  writeJobHeader,
} from '../control/worker-messages.js';
import { errno } from '../os/errno.js';
import { POLLIN, type Poller } from '../os/poller.js';
import { close, receive, sendMessage } from '../os/socket.js';
import type { Exchange } from './exchange.js';
import type { RoutedSite } from './routed-site.js';

/** What the master gives with a worker. */
export interface WorkerBirth {
  readonly id: number;
  /** The router's end of its channel, taken over. */
  readonly fd: number;
  /** Its process, by the kernel's word to the master. */
  readonly pid: number;
  /** A worker without one says everything by message. */
  readonly slate: Slate | undefined;
}

export interface WorkerHandlers {
  note(link: WorkerLink, note: Note): void;
  /** The worker's process has ended, or it broke the rules and should end. */
  ended(link: WorkerLink, isBreach: boolean): void;
}

/** too-large: it does not fit into one message. dead: the worker does not take it, and never will. */
export type Handover = 'sent' | 'too-large' | 'dead';

/** A worker has two things to say of a job. One that says much more only keeps the router busy. */
const notesPerJob = 8;
/** Ends that the slate has told are told by message as well, and those lie in the channel until it is read. */
const notesAtMost = 1024;

const job = Buffer.allocUnsafe(jobMaxBytes);
const incoming = Buffer.alloc(noteBytes + 1);
let lastSequence = 0;
const lastNumber = 0xffff_ffff;

export class WorkerLink {
  readonly id: number;
  readonly site: RoutedSite;
  /** The number of the job that it runs; its notes must repeat it. */
  sequence = 0;
  /** Its process, by the kernel's word to the master. */
  readonly pid: number;
  /** Its process has ended; what it said before is all that there will be. */
  isDead = false;
  readonly #slate: Slate | undefined;
  readonly #fd: number;
  readonly #poller: Poller;
  readonly #handlers: WorkerHandlers;
  #isOpen = true;
  #notesLeft = notesPerJob;
  /** The end of the present job is not known yet. */
  #isRunning = false;

  constructor(birth: WorkerBirth, site: RoutedSite, poller: Poller, handlers: WorkerHandlers) {
    const { id, fd, pid, slate } = birth;
    this.id = id;
    this.pid = pid;
    this.site = site;
    this.#slate = slate;
    this.#fd = fd;
    this.#poller = poller;
    this.#handlers = handlers;
    poller.add(fd, POLLIN, () => {
      this.#receive();
    });
  }

  /**
   * Sends a request to the worker, with the descriptor to answer on.
   *
   * @param keep the connection outlives the request
   * @param wantsNote somebody waits for its end already
   */
  run(exchange: Exchange, connection: number, keep: boolean, wantsNote: boolean): Handover {
    const { head, body } = exchange;
    const inline = body.kind === 'memory' ? body.buffer : undefined;
    const length = jobHeaderBytes + head.params.length + (inline?.length ?? 0);
    if (length > jobMaxBytes) return 'too-large';
    const left = this.sequence === 0 ? 0 : this.#notesLeft;
    this.#notesLeft = Math.min(left + notesPerJob, notesAtMost);
    lastSequence = lastSequence === lastNumber ? 1 : lastSequence + 1;
    this.sequence = lastSequence;
    writeJobHeader(job, {
      sequence: this.sequence,
      requestId: head.requestId,
      flags:
        (keep ? jobKeep : 0) |
        (inline === undefined ? jobBodyFile : 0) |
        (exchange.connection.owesEnd ? jobOwesEnd : 0),
      paramsLength: head.params.length,
      bodyLength: body.length,
    });
    head.params.copy(job, jobHeaderBytes);
    inline?.copy(job, jobHeaderBytes + head.params.length);
    if (wantsNote) this.#slate?.want(this.sequence);
    const sent = sendMessage(this.#fd, job, 0, length, connection, body.kind === 'file' ? body.fd : -1);
    if (sent === length) {
      this.#isRunning = true;
      return 'sent';
    }
    return sent === -errno.EMSGSIZE ? 'too-large' : 'dead';
  }

  /** Has its present job ended meanwhile? Then its note is handled now. */
  look(): void {
    const note = this.#isRunning ? this.#slate?.ended(this.sequence) : undefined;
    if (note !== undefined) this.#take(note);
  }

  /** Somebody waits for the end of its present job. */
  wantNote(): void {
    if (!this.#isRunning) return;
    this.#slate?.want(this.sequence);
    this.look();
  }

  /** A part of the present job's answer may have been written, as far as the slate says. */
  get hasStarted(): boolean {
    return this.#slate?.hasStarted(this.sequence) === true;
  }

  /** An idle worker ends by itself when its channel is closed; a busy one after its request. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#poller.remove(this.#fd);
    close(this.#fd);
  }

  /** The process has ended: its last notes may still lie in the channel. */
  drain(): void {
    this.#lookLast();
    this.#receive();
  }

  #lookLast(): void {
    this.isDead = true;
    this.look();
  }

  #receive(): void {
    while (this.#isOpen) {
      const length = receive(this.#fd, incoming, 0, incoming.length);
      if (length === -errno.EAGAIN) return;
      const note = length > 0 ? readNote(incoming, length) : undefined;
      if (note === undefined || this.#notesLeft-- === 0) {
        if (length <= 0) this.#lookLast();
        this.close();
        this.#handlers.ended(this, length > 0);
        return;
      }
      if (note.sequence !== this.sequence || !this.#isRunning) continue;
      this.#take(note);
      // It has no more to say, and were it so, the poller would call again: to ask costs a system call a request.
      if (note.type !== noteStarted && !this.isDead) return;
    }
  }

  /** A note may come twice, from the slate and as a message. */
  #take(note: Note): void {
    if (note.type !== noteStarted) this.#isRunning = false;
    this.#handlers.note(this, note);
  }
}
