/**
 * Remembers how to take back what was done, and does so in reverse order, also after half a start.
 * A step that cannot be undone is reported, and does not keep the others from being undone.
 */

import { messageOf } from '../error.js';

interface Step {
  readonly what: string;
  readonly undo: () => Promise<void> | void;
}

export class Undo {
  readonly #steps: Step[] = [];

  /** `what` completes the sentence "could not …": `remove the user guise-demo-a`. */
  push(what: string, undo: () => Promise<void> | void): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything, last step first. Answers with one line for each step that failed; never throws. */
  async run(): Promise<string[]> {
    const problems: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (thrown) {
        problems.push(`could not ${step.what}: ${messageOf(thrown)}`);
      }
    }
    return problems;
  }
}
