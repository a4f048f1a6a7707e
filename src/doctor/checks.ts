/** All checks, in the order in which they are made and told. docs/reference/doctor.md is tested against this table. */

import type { Check } from './check.js';
import { backendType, htaccessOtherSocket, modInfo, modStatus } from './checks/apache.js';
import { memory, openFiles, processNumbers, siteProcesses } from './checks/capacity.js';
import { configuration, controlSocket, keyNotRequired, siteFiles, sockets } from './checks/configuration.js';
import { daemon, secondDaemon, siteQuarantined, staleFiles } from './checks/daemon.js';
import { cgroup, landlock, landlockOld, siteGroup } from './checks/isolation.js';
import { fixPathinfo, sharedPhpDirectory } from './checks/php.js';
import { clock, disk, logRotation } from './checks/room.js';
import {
  hostWithoutSite,
  keyMissing,
  keyOld,
  keyWrong,
  servedByAnother,
  siteWithoutHost,
} from './checks/vhosts.js';
import { rootWay, siteDirectoriesAreTheirs } from './checks/ways.js';
import { webFileOwner, webSecret, webUnread } from './checks/web-files.js';

export const checks: readonly Check[] = [
  configuration,
  siteFiles,
  daemon,
  siteQuarantined,
  secondDaemon,
  staleFiles,
  sockets,
  controlSocket,
  siteDirectoriesAreTheirs,
  rootWay,
  keyNotRequired,
  webSecret,
  webFileOwner,
  webUnread,
  keyMissing,
  keyWrong,
  keyOld,
  hostWithoutSite,
  siteWithoutHost,
  servedByAnother,
  htaccessOtherSocket,
  modInfo,
  modStatus,
  backendType,
  fixPathinfo,
  sharedPhpDirectory,
  landlock,
  landlockOld,
  cgroup,
  siteGroup,
  memory,
  openFiles,
  processNumbers,
  siteProcesses,
  disk,
  clock,
  logRotation,
];
