/**
 * Writes and removes the probe as the site's user: a directory of a tenant's is no place for root, who would follow
 * whatever link is put there in time. What the tenant's own user does there, the tenant could do himself.
 */

import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { GuiseError } from '../error.js';
import { launch } from '../os/launch.js';
import { pidfdOpen, pidfdSignal } from '../os/process.js';
import { reap } from '../os/reap.js';
import { close, memfd } from '../os/socket.js';
import type { Site } from '../site/site.js';

const patienceMs = 10_000;

/**
 * A new file of the site's user: an existing one is never written to.
 *
 * @throws GuiseError NOT_PERMITTED when the user cannot write there, LAUNCH_FAILED when he cannot be become
 */
export async function writeAsUser(site: Site, path: string, text: string): Promise<void> {
  const content = memfd('guise-probe');
  try {
    // Written at a place of its own, so that the reader begins at the beginning.
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; )
      done += writeSync(content, bytes, done, bytes.length - done, done);
    // noclobber opens with O_EXCL, so no link is followed either.
    const code = await shell(site, 'set -C && cat > "$1"', path, content);
    if (code === 0) return;
  } finally {
    close(content);
  }
  const problem = `${site.user.name} cannot write ${path}, where the page is to lie for a moment`;
  throw new GuiseError('NOT_PERMITTED', problem, {
    file: path,
    remedy: `chown ${site.user.name} ${site.root}   # or name a directory that he may write: --directory`,
  });
}

export async function removeAsUser(site: Site, path: string): Promise<void> {
  await shell(site, 'rm -f -- "$1"', path, -1);
}

async function shell(site: Site, script: string, path: string, input: number): Promise<number> {
  const { pid } = launch({
    file: '/bin/sh',
    args: ['sh', '-c', script, 'sh', path],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    descriptors: [input],
    identity: site.user,
    umask: 0o022,
    limits: { core: 0 },
    newSession: true,
    parentDeathSignal: 9,
  });
  const pidfd = pidfdOpen(pid);
  const deadline = performance.now() + patienceMs;
  try {
    for (;;) {
      const death = reap();
      if (death?.pid === pid) return death.exitCode ?? 128;
      // A file system that does not answer holds the program; the person who asked should not wait with it.
      if (performance.now() > deadline) pidfdSignal(pidfd, 9);
      if (performance.now() > deadline + 1000) return 128;
      await delay(2);
    }
  } finally {
    close(pidfd);
  }
}
