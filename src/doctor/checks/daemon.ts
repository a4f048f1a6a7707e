/** The daemon itself: that there is one, only one, and that nothing of an earlier one is in the way. */

import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { readClientConfig } from '../../config/config.js';
import { errorCode, quoteShell } from '../../config/toml-file.js';
import { GuiseError } from '../../error.js';
import type { Ailment, Check, Look } from '../check.js';

export const daemon: Check = {
  id: 'daemon',
  severity: 'error',
  title: 'no daemon is running',
  examine: ({ config, daemon: report }) =>
    report !== undefined
      ? []
      : [
          {
            about: config.paths.run,
            message: `no daemon answers for ${config.paths.run}: the web server gets no answer for any site`,
            found: 'nothing listens on its control socket',
            expected: 'a running daemon',
            remedy: `systemctl start guise   # or: guise daemon --config ${quoteShell(config.file)} &`,
          },
        ],
};

export const siteQuarantined: Check = {
  id: 'site-quarantined',
  severity: 'error',
  title: 'a site is in quarantine',
  examine: ({ daemon: report }) =>
    (report?.sites ?? [])
      .filter(({ state }) => state === 'quarantined')
      .map(({ name, reason }) => ({
        about: name,
        message: `${name} failed too often in a row, and every visitor gets an error`,
        found: reason ?? 'no reason is known',
        expected: 'a PHP that starts, and does not crash before it has answered anything',
        remedy: `guise status ${quoteShell(name)}   # when it is mended: guise site enable ${quoteShell(name)}`,
      })),
};

export const secondDaemon: Check = {
  id: 'second-daemon',
  severity: 'error',
  title: 'another daemon serves the same sites',
  examine: ({ config, daemon: report, machine }) => {
    const sites = real(config.paths.sites);
    return machine.processes().flatMap(({ pid, title }) => {
      const file = /^guise: master (.+)$/.exec(title)?.[1];
      if (file === undefined || pid === report?.pid || sitesOf(file) !== sites) return [];
      return [
        {
          about: `pid ${pid}`,
          message: `another daemon runs the sites of ${config.paths.sites}, with limits and workers of its own`,
          found: `pid ${pid}, configuration ${file}`,
          expected: report === undefined ? 'no other daemon' : `pid ${report.pid} alone`,
          remedy: `kill ${pid}`,
        },
      ];
    });
  },
};

function sitesOf(file: string): string | undefined {
  try {
    return real(readClientConfig(file).paths.sites);
  } catch (thrown) {
    if (thrown instanceof GuiseError) return undefined;
    throw thrown;
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

export const staleFiles: Check = {
  id: 'stale-files',
  severity: 'warning',
  title: 'sockets of a daemon that is gone, or of sites that are gone, lie in the run directory',
  examine: async (look) => {
    const found: Ailment[] = [];
    for (const path of socketFiles(look)) {
      if (await answers(path)) continue;
      found.push({
        about: path,
        message: `${path} is a socket that nobody listens on: whoever is told to connect there gets no answer`,
        found: 'connection refused',
        expected: 'the socket of a running daemon, or none',
        remedy: `rm ${quoteShell(path)}`,
      });
    }
    return found;
  },
};

function socketFiles({ config }: Look): string[] {
  return [config.paths.run, join(config.paths.run, 'sites')].flatMap((directory) =>
    list(directory)
      .filter((name) => name.endsWith('.sock'))
      .map((name) => join(directory, name))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true),
  );
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** Connects and says nothing. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      socket.destroy();
      resolve(errorCode(error) !== 'ECONNREFUSED');
    });
  });
}
