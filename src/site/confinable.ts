/** Whether a site can be confined as its file asks: the kernel, and the paths that are to be opened to it. */

import type { Config } from '../config/config.js';
import type { Path } from '../config/locate.js';
import type { Finding } from '../config/problem.js';
import { errorCode, quoteShell } from '../config/toml-file.js';
import type { LayeredSite } from './defaults.js';
import type { SystemView } from './system-view.js';
import { isHonest, type Walker } from './way.js';

/** Everything that is wrong, each with the key it is about. A root that does not exist is found elsewhere. */
export function confinementFindings(
  config: Config,
  written: LayeredSite,
  walker: Walker,
  view: SystemView,
): (readonly [Path, Finding])[] {
  if (written.confine === 'off') return [];
  const { abi, reason = '' } = view.landlock();
  const findings: (readonly [Path, Finding | undefined])[] = [
    [['confine'], abi === 0 && config.requireConfinement ? notPossible(config, reason) : undefined],
    [['root'], checkPath(written.root, walker, view, true)],
  ];
  for (const name of ['readable', 'writable'] as const) {
    for (const [index, path] of written[name].entries()) {
      findings.push([[name, index], checkPath(path, walker, view, false)]);
    }
  }
  return findings.flatMap(([path, finding]) => (finding === undefined ? [] : [[path, finding] as const]));
}

function notPossible(config: Config, reason: string): Finding {
  return {
    message: 'the site cannot be confined on this machine, and require_confinement is set',
    found: reason,
    expected: 'a kernel with Landlock (Linux 5.13 or later)',
    remedy: `confine = "off" for this site alone, or require_confinement = false under [security] in ${config.file}`,
  };
}

function checkPath(
  path: string,
  walker: Walker,
  view: SystemView,
  mayBeMissing: boolean,
): Finding | undefined {
  try {
    const way = view.way(path, walker);
    return isHonest(way, walker) ? undefined : leadsAway(path, way.loose ?? '', way.real);
  } catch (thrown) {
    if (mayBeMissing) return undefined;
    const code = errorCode(thrown) ?? String(thrown);
    return {
      message: `the path ${path} cannot be opened to the site`,
      found: code === 'ENOENT' ? 'no such file or directory' : code,
      expected: 'a path that exists',
      remedy: `install -d ${quoteShell(path)}   (or remove it from the list)`,
    };
  }
}

function leadsAway(path: string, link: string, real: string): Finding {
  return {
    message: `the path ${path} goes through a symbolic link that others than root can change, to what is not the site's`,
    found: `${link}, which leads to ${real}`,
    expected:
      "a link in a directory that only root may write, or one that leads to what the site's user owns",
    remedy: `write the path without the link: ${real}`,
  };
}
