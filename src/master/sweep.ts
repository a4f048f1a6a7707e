/** The end of everything that the master has started, and of what that has left behind. Privilege: root. */

import { children, pidfdOpen, pidfdSignal } from '../os/process.js';
import { close } from '../os/socket.js';

/** As a subreaper the master inherits every orphan below it, so when it has no child left, nothing is left. */
export function sweepChildren(done: () => void): void {
  const left = children();
  if (left.length === 0) {
    done();
    return;
  }
  for (const pid of left) kill(pid);
  setTimeout(() => {
    sweepChildren(done);
  }, 10);
}

/** A child that has not been waited for keeps its pid, so this cannot reach anybody else. */
function kill(pid: number): void {
  try {
    const pidfd = pidfdOpen(pid);
    pidfdSignal(pidfd, 9);
    close(pidfd);
  } catch {
    // It has just been waited for.
  }
}
