/** What `guise check` finds, told by doctor too, and what it does not look at: the control socket, sites without a key. */

import { lstatSync } from 'node:fs';
import { formatMode, isTrustedOwner, quoteShell } from '../../config/toml-file.js';
import { controlPath } from '../../control/server.js';
import { ownerName } from '../../os/identity.js';
import { lostWithoutKey } from '../../site/key.js';
import { socketProblems } from '../../site/sockets.js';
import { type Check, fromProblem } from '../check.js';

export const configuration: Check = {
  id: 'configuration',
  severity: 'error',
  title: 'guise.toml is wrong, or its directories can be changed by others than root',
  examine: ({ problems }) => problems.map(fromProblem),
};

export const siteFiles: Check = {
  id: 'site-files',
  severity: 'error',
  title: 'the file of a site is wrong, open to others, or names a user or a php-cgi that cannot be used',
  examine: ({ registry }) => registry.parked.flatMap(({ problems }) => problems.map(fromProblem)),
};

export const sockets: Check = {
  id: 'sockets',
  severity: 'error',
  title: 'a FastCGI socket is open to others than the web server',
  examine: ({ config, registry }) => socketProblems(config, registry.sites).map(fromProblem),
};

/** Everybody may connect: the daemon asks the kernel who it is (control/roles.ts). */
const controlMode = 0o666;

export const controlSocket: Check = {
  id: 'control-socket',
  severity: 'error',
  title: 'the control socket is not as the daemon made it',
  examine: ({ config }) => {
    const path = controlPath(config.paths.run);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    if (stats.isSocket() && isTrustedOwner(stats.uid) && (stats.mode & 0o777) === controlMode) return [];
    const word = quoteShell(path);
    return [
      {
        about: path,
        message: `${path} has another owner or mode than the daemon gave it: users of sites do not reach it, or somebody else can change that`,
        found: `owner ${ownerName(stats.uid)}, mode ${formatMode(stats.mode)}`,
        expected: `a socket of root's, mode ${formatMode(controlMode)}`,
        remedy: `chown root ${word} && chmod ${formatMode(controlMode)} ${word}`,
      },
    ];
  },
};

export const keyNotRequired: Check = {
  id: 'key-not-required',
  severity: 'warning',
  title: 'a site answers without a key',
  examine: ({ registry }) =>
    registry.sites
      .filter(({ keyRequired }) => !keyRequired)
      .map((site) => ({
        about: site.file,
        message: lostWithoutKey(site.name),
        found: 'key_required = false',
        expected: 'key_required = true, and the key in the configuration of the web server',
        remedy:
          site.keys.length > 0
            ? `guise site set ${site.name} --set key_required=true`
            : `guise site set ${site.name} --rotate-key --set key_required=true   # then: guise web rekey ${site.name}`,
      })),
};
