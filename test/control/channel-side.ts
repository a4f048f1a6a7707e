import type { Test } from 'tap';
import { Channel } from '../../src/control/channel.js';
import { Poller } from '../../src/os/poller.js';
import { close, receiveMessage, seqpacketPair } from '../../src/os/socket.js';
import { aRound } from '../harness/sockets.js';

/** The largest message that the channel of a Side takes. */
export const largest = 8192;

export interface Heard {
  readonly bytes: Buffer;
  readonly descriptors: readonly number[];
}

/** One channel, and the test at its other end. */
export class Side {
  readonly poller: Poller;
  readonly channel: Channel;
  /** The test's own end. */
  readonly peer: number;
  readonly heard: Heard[] = [];
  ends = 0;
  onMessage: (channel: Channel) => void = () => undefined;
  readonly #buffer = Buffer.alloc(largest);

  constructor(t: Test, maxWaiting = 1000) {
    this.poller = new Poller();
    const [ours, peer] = seqpacketPair();
    this.peer = peer;
    this.channel = new Channel(this.poller, ours, this.#buffer, maxWaiting, {
      message: (buffer, length, info) => {
        const descriptors = Array.from({ length: info[0] ?? 0 }, (_, i) => info[i + 1] ?? -1);
        this.heard.push({ bytes: Buffer.from(buffer.subarray(0, length)), descriptors });
        this.onMessage(this.channel);
      },
      ended: () => this.ends++,
    });
    t.teardown(() => {
      this.channel.close();
      this.poller.close();
      close(peer);
    });
  }

  settle(): Promise<void> {
    return aRound(this.poller);
  }

  /** What waits at the test's end: numbers of messages, and their descriptors, which the test must close. */
  take(): { readonly number: number; readonly descriptor: number }[] {
    const taken: { number: number; descriptor: number }[] = [];
    const buffer = Buffer.alloc(largest);
    const info = new Int32Array(9);
    for (;;) {
      const length = receiveMessage(this.peer, buffer, info);
      if (length <= 0) return taken;
      taken.push({ number: buffer.readUInt32LE(0), descriptor: info[0] === 0 ? -1 : (info[1] ?? -1) });
    }
  }
}

/** A message of a size that fills the kernel's buffer soon. */
export function numbered(number: number, bytes = 4096): Buffer {
  const message = Buffer.alloc(bytes);
  message.writeUInt32LE(number, 0);
  return message;
}
