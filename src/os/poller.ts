/**
 * Watches many descriptors through one epoll instance, in which the process waits. One call into JavaScript
 * handles a whole batch of events.
 *
 * The kernel keeps a registration as long as any copy of the open file description lives, in whatever process. So
 * each registration carries a generation, and an event of an old one reaches nobody: neither in the batch in which
 * its descriptor was removed or its number used again, nor after a descriptor was closed without remove(). In the
 * last case the kernel would report it for ever, and the epoll instance is renewed.
 *
 * A handler that throws has a bug: it becomes an uncaught exception.
 */
import { addon, type NativePoller } from './addon.js';
import { checked } from './syscall.js';

export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLRDHUP = 0x2000;
/** Edge-triggered: an event is told once, when it begins. */
export const POLLET = -0x80000000;

const eventsPerBatch = 256;
const lastGeneration = 0x7fffffff;

interface Registration {
  generation: number;
  interest: number;
  readonly handler: (events: number) => void;
}

export class Poller {
  readonly #batch = new Int32Array(3 * eventsPerBatch);
  readonly #registrations = new Map<number, Registration>();
  readonly #native: NativePoller;
  #generation = 0;
  /** Generations that ended while the present batch was handled: the kernel may still name them in it. */
  #ended: number[] = [];
  #closed = false;

  constructor() {
    this.#native = new addon.Poller(this.#batch, (count) => {
      this.#dispatch(count);
    });
  }

  /**
   * @param interest POLLIN and so on, combined; POLLERR and POLLHUP are always reported
   * @param handler gets the events that have happened
   * @throws GuiseError SYSCALL_FAILED: EEXIST when it is watched already, EPERM for a regular file, EBADF
   */
  add(fd: number, interest: number, handler: (events: number) => void): void {
    const generation = this.#nextGeneration();
    checked(this.#native.add(fd, generation, interest), 'epoll_ctl', `Descriptor ${fd}`);
    const before = this.#registrations.get(fd);
    if (before !== undefined) this.#ended.push(before.generation);
    this.#registrations.set(fd, { generation, interest, handler });
  }

  /** @throws GuiseError SYSCALL_FAILED, ENOENT when it is not watched */
  change(fd: number, interest: number): void {
    const registration = this.#registrations.get(fd);
    const generation = registration?.generation ?? 0;
    checked(this.#native.change(fd, generation, interest), 'epoll_ctl', `Descriptor ${fd}`);
    if (registration !== undefined) registration.interest = interest;
  }

  /** Before the descriptor is closed. Its handler is not called any more. Unknown descriptors are ignored. */
  remove(fd: number): void {
    const registration = this.#registrations.get(fd);
    if (registration === undefined) return;
    this.#registrations.delete(fd);
    this.#ended.push(registration.generation);
    // Closed too early? Then this fails, and an event that still arrives renews the epoll instance.
    this.#native.remove(fd);
  }

  /** Gives up the epoll instance and lets the process end. */
  close(): void {
    this.#closed = true;
    this.#registrations.clear();
    this.#native.close();
  }

  /** Watching keeps the process alive: so it is from the start. */
  ref(): void {
    this.#native.ref();
  }

  unref(): void {
    this.#native.unref();
  }

  #dispatch(count: number): void {
    const batch = this.#batch;
    let orphaned = false;
    for (let i = 0; i < 3 * count; i += 3) {
      const registration = this.#registrations.get(batch[i] as number);
      const generation = batch[i + 1] as number;
      if (registration?.generation === generation) {
        // Another handler may have changed the interest since the kernel wrote this down.
        const events = (batch[i + 2] as number) & (registration.interest | POLLERR | POLLHUP);
        if (events !== 0) registration.handler(events);
      } else if (!this.#ended.includes(generation)) {
        orphaned = true;
      }
    }
    this.#ended.length = 0;
    if (orphaned && !this.#closed) this.#renew();
  }

  /** Starts over with a new epoll instance that knows only what is watched now. */
  #renew(): void {
    checked(this.#native.renew(), 'epoll_create1', 'Renewing the poller');
    for (const [fd, { generation, interest }] of this.#registrations) {
      this.#native.add(fd, generation, interest);
    }
  }

  #nextGeneration(): number {
    this.#generation = this.#generation === lastGeneration ? 1 : this.#generation + 1;
    return this.#generation;
  }
}
