/**
 * The daemon: from a checked configuration to a running instance, and from there to nothing left. This file knows
 * the order; each step has its own.
 *
 * Privilege: root. Nothing that a visitor or a script sends is ever read in this process.
 */

import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Logger, pino } from 'pino';
import type { Config } from '../config/config.js';
import { checkRootDirectory } from '../config/root-directory.js';
import { version } from '../config/version.js';
import { requestsPath } from '../control/client.js';
import { controlPath, startControlServer } from '../control/server.js';
import { GuiseError } from '../error.js';
import { preloadLibrary } from '../os/addon.js';
import { type UserEntry, userByName } from '../os/identity.js';
import { landlockSupport } from '../os/landlock.js';
import { Poller } from '../os/poller.js';
import { dropDumpable } from '../os/process.js';
import { becomeSubreaper, reap } from '../os/reap.js';
import { Control } from './control.js';
import { Instance } from './instance.js';
import { prepareInstance } from './layout.js';
import { openSharedListeners } from './listeners.js';
import { lockRunDirectory } from './lock.js';
import { LogFile } from './log-file.js';

/**
 * Runs until it is told to stop (SIGTERM, SIGINT, or the control socket).
 *
 * @returns the exit code: 0 after an orderly stop
 * @throws GuiseError when the instance cannot start; nothing is left running then
 */
export async function runMaster(config: Config): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new GuiseError(
      'NOT_PERMITTED',
      'the daemon must run as root, for it starts each site as its own user',
      {
        remedy: 'sudo guise daemon',
      },
    );
  }
  process.title = `guise: master ${config.file}`;
  const user = routerUser(config);
  const webUsers = config.router.webUsers.map((name) => existingUser(name, '[router] web_users', config));
  const library = prepareInstance(config, user);
  const unlock = lockRunDirectory(config.paths.run);
  becomeSubreaper();
  dropDumpable();
  const { log, logFile } = openLog(config);
  warnWithoutLandlock(log);
  warnOfOpenProgram(log);
  const socket = `${config.paths.run}/guise.sock`;
  const requests = requestsPath(config.paths.run);
  const listeners = openSharedListeners(socket, config.router.listen, webUsers, requests);
  const poller = new Poller();
  const instance = new Instance({ config, poller, log, logFile, user, webUsers, library, listeners });
  try {
    await serve(instance);
  } finally {
    poller.close();
    for (const path of [socket, requests]) rmSync(path, { force: true });
    unlock();
  }
  log.info('guise stopped');
  return 0;
}

/** From the start of the router to the end of the last child. */
async function serve(instance: Instance): Promise<void> {
  const { log } = instance;
  const onChild = (): void => {
    collect(instance);
  };
  const stop = (): void => {
    instance.stop();
  };
  process.on('SIGCHLD', onChild);
  instance.start();
  onChild(); // what has ended before anybody listened
  const control = new Control(instance, Date.now());
  const reload = (): void => {
    control.reopen();
    control.reload().catch((thrown: unknown) => {
      log.error({ err: thrown }, 'reload failed');
    });
  };
  const reopen = (): void => {
    control.reopen();
  };
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload).on('SIGUSR1', reopen);
  const server = startControlServer(control, {
    path: controlPath(instance.config.paths.run),
    onProblem: (problem) => {
      log.warn({ err: problem }, 'control socket');
    },
  });
  log.info({ pid: process.pid, version, config: instance.config.file }, 'guise started');
  await instance.stopped;
  await server.close();
  process.off('SIGCHLD', onChild).off('SIGTERM', stop).off('SIGINT', stop);
  process.off('SIGHUP', reload).off('SIGUSR1', reopen);
}

/** One SIGCHLD may stand for several deaths. */
function collect(instance: Instance): void {
  for (let death = reap(); death !== undefined; death = reap()) {
    instance.childDied(death.pid, death.exitCode, death.signal);
  }
}

function routerUser(config: Config): UserEntry {
  const user = existingUser(config.router.user, '[router] user', config);
  if (user.uid === 0 || user.gid === 0) {
    throw new GuiseError(
      'CONFIG_INVALID',
      `[router] user: found ${user.name}; expected a user without privileges`,
      {
        file: config.file,
      },
    );
  }
  return user;
}

function existingUser(name: string, key: string, config: Config): UserEntry {
  const user = userByName(name);
  if (user !== undefined) return user;
  throw new GuiseError('CONFIG_INVALID', `${key}: there is no user ${name}`, {
    file: config.file,
    remedy: `useradd --system --no-create-home --shell /usr/sbin/nologin ${name}`,
  });
}

/** Once, so that it is read: the rest of the log is about sites. */
function warnWithoutLandlock(log: Logger): void {
  const { abi, reason } = landlockSupport();
  if (abi === 0)
    log.warn({ reason }, 'there is no Landlock here: file modes alone keep sites from reading each other');
}

/** Whoever may write where guise itself lies decides what root runs. No check of guise can outdo that, so it is only said. */
function warnOfOpenProgram(log: Logger): void {
  const finding = checkRootDirectory(dirname(preloadLibrary()));
  if (finding === undefined) return;
  const { message, found, remedy } = finding;
  log.warn({ problem: message, found, remedy }, 'others than root can change the program itself');
}

/** One file for master, router and ledger: each line is one write to a descriptor opened for appending. */
function openLog(config: Config): { log: Logger; logFile: LogFile } {
  const logFile = new LogFile(`${config.paths.log}/guise.log`);
  const log = pino({ base: { process: 'master' }, timestamp: pino.stdTimeFunctions.isoTime }, logFile.stream);
  return { log, logFile };
}
