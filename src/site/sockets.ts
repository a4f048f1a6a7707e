/** The sockets of a running daemon: whether they are still as it made them. */

import { existsSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { Problem } from '../config/problem.js';
import { checkSocketFile, programAccess } from '../config/socket-file.js';
import { userByName } from '../os/identity.js';
import { type Site, siteSocketPath } from './site.js';

/** Nothing where no daemon has made its socket; sites that it has not applied yet have none either. */
export function socketProblems(config: Config, sites: readonly Site[]): Problem[] {
  const shared = `${config.paths.run}/guise.sock`;
  if (!existsSync(shared)) return [];
  const webUsers = config.router.webUsers.map(userByName).filter((user) => user !== undefined);
  const own = sites
    .filter(({ socket }) => socket === 'own')
    .map(({ name, command }) => {
      const access = command === undefined ? undefined : programAccess(webUsers);
      return { path: siteSocketPath(config.paths.run, name), access };
    })
    .filter(({ path }) => existsSync(path));
  return [{ path: shared, access: undefined }, ...own].flatMap(({ path, access }) => {
    const finding = checkSocketFile(path, webUsers, access);
    return finding === undefined ? [] : [{ file: path, line: 1, ...finding }];
  });
}
