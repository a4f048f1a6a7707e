/** What each process of a site's own user is held by, whether it is a template, a program, or a command of `guise run`. */

import type { LaunchSpec } from '../os/launch.js';
import type { Site } from '../site/site.js';

/**
 * When memory runs out, the kernel takes a process by its size: proc_pid_oom_score_adj(5). This counts as half of the
 * machine's memory, so that the largest process of a site goes before a database, the web server or guise itself.
 */
const outOfMemoryScore = 500;

export function restraintsOf(
  site: Site,
): Pick<LaunchSpec, 'umask' | 'nice' | 'limits' | 'noNewPrivileges' | 'outOfMemoryScore'> {
  return {
    umask: site.umask,
    nice: site.nice,
    limits: { core: 0, ...site.limits },
    noNewPrivileges: site.noNewPrivileges,
    outOfMemoryScore,
  };
}
