/** The stack of a slow request, as guise-php-stack says it (native/stack): a text of the site's, bounded in size and time. */

import type { StackProblem } from '../control/router-messages.js';
import { POLLHUP, POLLIN, type Poller } from '../os/poller.js';
import { close, receive } from '../os/socket.js';

/** Function calls, the innermost first; or why there are none. */
export type Stack = readonly string[] | StackProblem;

const patienceMs = 2000;
const mostBytes = 16 * 1024;
const mostFrames = 32;
/** In characters. */
const frameMax = 512;
const problems: readonly string[] = [
  'unreadable',
  'no-script',
  'unknown-php',
  'unsafe',
] satisfies StackProblem[];

/** Calls back once; `fd` is taken over. */
export function readStack(poller: Poller, fd: number, done: (stack: Stack) => void): void {
  const end = (stack: Stack): void => {
    clearTimeout(timer);
    poller.remove(fd);
    close(fd);
    done(stack);
  };
  const timer = setTimeout(() => {
    end('unreadable');
  }, patienceMs);
  poller.add(fd, POLLIN | POLLHUP, () => {
    const buffer = Buffer.alloc(mostBytes);
    const length = receive(fd, buffer, 0, mostBytes);
    end(length > 0 ? framesOf(buffer.toString('utf8', 0, length)) : 'unreadable');
  });
}

export function framesOf(text: string): Stack {
  if (text.startsWith('!')) {
    const word = text.slice(1);
    return problems.includes(word) ? (word as StackProblem) : 'unreadable';
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, mostFrames)
    .map((line) => line.slice(0, frameMax));
}
