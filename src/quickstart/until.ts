/** Waiting for a condition with a deadline, in the places where nothing announces that it holds. */

import { setTimeout as delay } from 'node:timers/promises';
import { GuiseError } from '../error.js';

const pollMs = 20;

/**
 * Asks again and again until the answer is neither false, null nor undefined, and returns that answer.
 * Throws GuiseError SETUP_FAILED after `deadlineMs`; `what` completes "waited in vain for …".
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) {
      return answer as Exclude<T, false | null | undefined>;
    }
    if (performance.now() > end) {
      throw new GuiseError('SETUP_FAILED', `waited ${deadlineMs} ms in vain for ${what}`);
    }
    await delay(pollMs);
  }
}
