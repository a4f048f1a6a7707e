/**
 * Which directory of control groups is guise's own, if any: the one that guise.toml names, or the daemon's own group
 * where systemd has delegated it. Where there is none, that is no mistake, and `guise check` says what would mend it.
 */

import { groupMount, groupOf, isDelegated, isGroup } from '../os/cgroup.js';
import { checkRootDirectory } from './root-directory.js';

/** The daemon and all that it starts but sites, below the directory. */
export const daemonGroup = 'daemon';
/** Below it there is a group for each site. */
export const sitesGroup = 'sites';

export type Delegation =
  | { readonly directory: string }
  | { readonly directory?: undefined; readonly reason: string; readonly remedy: string };

const unit =
  'systemctl edit guise   # write: [Service] Delegate=yes   then: systemctl restart guise   (docs/how-to/control-groups.md)';

/**
 * @param setting `cgroup` under [limits]: "auto", "off" or a path
 * @param pid the daemon's
 */
export function delegationOf(setting: string, pid: number | 'self'): Delegation {
  if (setting === 'off')
    return none('cgroup = "off" under [limits]', 'cgroup = "auto" under [limits] in guise.toml');
  if (setting !== 'auto') return named(setting);
  const own = groupOf(pid)?.replace(new RegExp(`/${daemonGroup}$`), '');
  const mount = groupMount();
  if (mount === undefined) return none('no cgroup version 2 is mounted here', '');
  if (own === undefined) return none('the daemon is in no group that can be seen here', unit);
  if (own === mount.point)
    return none(
      "the daemon runs in the group that all processes begin in, which is nobody's to divide",
      unit,
    );
  return isDelegated(own) ? { directory: own } : none(`${own} is not delegated to the daemon`, unit);
}

function named(path: string): Delegation {
  const parent = path.slice(0, path.lastIndexOf('/'));
  if (!isGroup(path) && !isGroup(parent))
    return none(`${path} is no directory of cgroup version 2`, 'findmnt -t cgroup2   # where it is mounted');
  const finding = checkRootDirectory(path);
  if (finding !== undefined) return none(`${finding.message}: found ${finding.found}`, finding.remedy);
  return { directory: path };
}

function none(reason: string, remedy: string): Delegation {
  return { reason, remedy };
}
