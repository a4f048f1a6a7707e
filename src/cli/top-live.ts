/** `guise top` on a terminal: looks again and again, follows keys, draws. */

import type { StatusReport } from '../control/api.js';
import { messageOf } from '../error.js';
import type { Paint } from './paint.js';
import { type Order, type TopRow, topRows } from './top-rows.js';
import { orderKeys, topScreen, type View } from './top-screen.js';
import type { TopTerminal } from './top-terminal.js';

const escapeKey = '\u001b';
const backspaces = ['\u007f', '\b'];
/** Ctrl-C, which is a key like others in raw mode. */
const interrupt = '\u0003';

export class TopLive {
  readonly #screen: TopTerminal;
  readonly #paint: Paint;
  readonly #look: () => Promise<StatusReport>;
  #view: View;
  #problem: string | undefined;
  #seen: { readonly report: StatusReport; readonly atMs: number } | undefined;
  #rows: readonly TopRow[] = [];

  constructor(screen: TopTerminal, paint: Paint, order: Order, look: () => Promise<StatusReport>) {
    this.#screen = screen;
    this.#paint = paint;
    this.#look = look;
    this.#view = { order, words: '', isTyping: false, isPaused: false };
  }

  /** Until somebody has had enough. Rejects when there is nothing to be seen at all. */
  run(intervalSeconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (how: () => void): void => {
        clearInterval(timer);
        this.#screen.close();
        how();
      };
      const again = (): void => {
        this.#refresh().catch((thrown: unknown) => {
          end(() => {
            reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
          });
        });
      };
      const timer = setInterval(again, intervalSeconds * 1000);
      this.#screen.open({
        key: (key) => {
          if (key === interrupt || (key === 'q' && !this.#view.isTyping)) end(resolve);
          else this.#follow(key);
        },
        resized: () => {
          this.#draw();
        },
      });
      again();
    });
  }

  #follow(key: string): void {
    this.#view = afterKey(this.#view, key);
    this.#draw();
  }

  async #refresh(): Promise<void> {
    if (this.#view.isPaused) return;
    try {
      const report = await this.#look();
      const atMs = performance.now();
      this.#rows = topRows(this.#seen?.report, report, (atMs - (this.#seen?.atMs ?? atMs)) / 1000);
      this.#seen = { report, atMs };
      this.#problem = undefined;
    } catch (thrown) {
      // A daemon that is restarted is not the end of it, but the first look must succeed.
      if (this.#seen === undefined) throw thrown;
      this.#problem = messageOf(thrown);
    }
    this.#draw();
  }

  #draw(): void {
    if (this.#seen === undefined) return;
    const view = this.#problem === undefined ? this.#view : { ...this.#view, problem: this.#problem };
    this.#screen.draw(topScreen(this.#seen.report, this.#rows, view, this.#screen.size, this.#paint));
  }
}

/** What a key makes of the view. */
export function afterKey(view: View, key: string): View {
  if (key === escapeKey) return { ...view, words: '', isTyping: false };
  if (view.isTyping) {
    if (key === '\r' || key === '\n') return { ...view, isTyping: false };
    if (backspaces.includes(key)) return { ...view, words: view.words.slice(0, -1) };
    return /[\p{L}\p{N}._~+-]/u.test(key) ? { ...view, words: `${view.words}${key}`.slice(0, 60) } : view;
  }
  if (key === '/') return { ...view, isTyping: true };
  if (key === 'p' || key === ' ') return { ...view, isPaused: !view.isPaused };
  const order = orderKeys[key];
  return order === undefined ? view : { ...view, order };
}
