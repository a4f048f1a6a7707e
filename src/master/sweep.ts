/** The end of everything that the master has started, and of what that has left behind. Privilege: root. */

import { childrenOf, endChildren } from '../os/tree.js';

const budgetMs = 5;

/** As a subreaper the master inherits every orphan below it, so when it has no child left, nothing is left. */
export function sweepChildren(done: () => void): void {
  if (childrenOf(process.pid).length === 0) {
    done();
    return;
  }
  endChildren(process.pid, { spare: [], uids: [], budgetMs });
  setTimeout(() => {
    sweepChildren(done);
  }, 10);
}
