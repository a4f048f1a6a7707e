/** From where messages are sent, and who must not notice. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { World } from '../harness/world.js';

/** A program with every signal blocked, so that one that was sent can be seen in /proc. */
export function canary(world: World, uid: number): ChildProcess & { pid: number } {
  const program =
    'import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\ntime.sleep(600)';
  const child = spawn('/usr/bin/python3', ['-c', program], { uid, gid: uid, stdio: 'ignore' });
  const { pid } = child;
  if (pid === undefined) throw new Error('there is no python3');
  world.undo.push('end a canary', () => void child.kill('SIGKILL'));
  return Object.assign(child, { pid });
}

/** Whether nobody has signalled it: what was sent would be pending. */
export function isUntouched(pid: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return [...status.matchAll(/^(?:SigPnd|ShdPnd):\s+(\S+)/gm)].every(([, mask]) => /^0+$/.test(mask ?? ''));
}

/**
 * Says bytes to the master in the router's place: pidfd_getfd(2) takes a copy of the router's descriptor 3. What is said
 * very often is numbered in its second word.
 */
const messenger = `
import ctypes, select, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
channel = socket.socket(fileno=libc.syscall(438, libc.syscall(434, int(sys.argv[1]), 0), 3, 0))
for line in sys.stdin:
    message, count = line.split()
    message, count = bytes.fromhex(message), int(count)
    try:
        for n in range(count):
            said = message[:4] + n.to_bytes(4, 'little') + message[8:] if count > 1000 else message
            while True:
                try: channel.send(said)
                except BlockingIOError: select.select([], [channel], [], 1)
                else: break
    except OSError: pass
    print('done', flush=True)
`;

export class Messenger {
  readonly #child: ChildProcess;
  #done: () => void = () => undefined;

  constructor(world: World, router: number) {
    const args = ['-c', messenger, String(router)];
    this.#child = spawn('/usr/bin/python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    world.undo.push('end a messenger', () => void this.#child.kill('SIGKILL'));
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', () => this.#done());
    this.#child.once('exit', () => this.#done());
  }

  async say(message: Uint8Array, count = 1): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      if (this.#child.exitCode !== null) resolve();
      else this.#child.stdin?.write(`${Buffer.from(message).toString('hex')} ${count}\n`);
    });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await gone;
  }
}
