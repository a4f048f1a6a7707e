/**
 * The terminal as `guise top` uses it: another screen, no cursor, keys one by one. However the command ends, by a
 * key, a signal or a fault, the terminal is as it was before.
 */

import type { ReadStream, WriteStream } from 'node:tty';
import type { Size } from './top-screen.js';

/** ECMA-48 and xterm's control sequences: alternate screen, cursor, erase. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[2J';
const leave = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const eraseLine = '\u001b[K';
const eraseBelow = '\u001b[J';

const endings = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export interface ScreenHandlers {
  key(key: string): void;
  resized(): void;
}

export class TopTerminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #isOpen = false;
  readonly #restore = (): void => {
    this.close();
  };

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  get size(): Size {
    return { lines: this.#output.rows, columns: this.#output.columns };
  }

  open(handlers: ScreenHandlers): void {
    this.#isOpen = true;
    process.once('exit', this.#restore);
    for (const signal of endings)
      process.once(signal, () => {
        this.close();
        process.exit(128 + signalNumbers[signal]);
      });
    this.#input.setRawMode(true);
    this.#input.setEncoding('utf8');
    this.#input.on('data', (keys: string) => {
      for (const key of keys) handlers.key(key);
    });
    this.#output.on('resize', () => {
      handlers.resized();
    });
    this.#output.write(enter);
  }

  draw(lines: readonly string[]): void {
    if (this.#isOpen)
      this.#output.write(home + lines.map((line) => `${line}${eraseLine}`).join('\r\n') + eraseBelow);
  }

  /** May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#restore);
    this.#output.write(leave);
    this.#input.setRawMode(false);
    this.#input.pause();
  }
}
