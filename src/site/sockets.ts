/** The sockets of a running daemon: whether they are still as it made them. */

import { existsSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { Problem } from '../config/problem.js';
import { checkSocketFile } from '../config/socket-file.js';
import { userByName } from '../os/identity.js';
import { type Site, siteSocketPath } from './site.js';

/** Nothing where no daemon has made its socket; sites that it has not applied yet have none either. */
export function socketProblems(config: Config, sites: readonly Site[]): Problem[] {
  const shared = `${config.paths.run}/guise.sock`;
  if (!existsSync(shared)) return [];
  const webUsers = config.router.webUsers.map(userByName).filter((user) => user !== undefined);
  const own = sites
    .filter(({ socket }) => socket === 'own')
    .map(({ name }) => siteSocketPath(config.paths.run, name));
  return [shared, ...own.filter((path) => existsSync(path))].flatMap((path) => {
    const finding = checkSocketFile(path, webUsers);
    return finding === undefined ? [] : [{ file: path, line: 1, ...finding }];
  });
}
