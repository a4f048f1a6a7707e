/** A site on real files, as root, and what `guise explain` says about its scripts. */

import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Test } from 'tap';
import type { Explanation } from '../../src/explain/checks.js';
import { userByName } from '../../src/os/identity.js';
import { close, listenUnix } from '../../src/os/socket.js';
import { type FakeDaemon, startFakeDaemon } from '../control/daemon.js';
import { siteText } from '../site/instance.js';
import { run } from './run.js';

export const games = userByName('games') ?? { uid: -1, gid: -1 };
export const webServer = userByName('www-data') ?? { uid: -1, gid: -1 };
export const stranger = 64_950;

/** A daemon that runs, with one site and the socket as it should be. */
export function world(t: Test, toml = '', more = ''): FakeDaemon {
  const daemon = startFakeDaemon(t, toml);
  daemon.site('a.example.toml', siteText(daemon, 'a.example', `aliases = ["www.a.example"]\n${more}`));
  chownSync(daemon.root, games.uid, games.gid);
  const socket = `${daemon.directory}/run/guise.sock`;
  const fd = listenUnix(socket, 1);
  chownSync(socket, webServer.uid, 0);
  t.teardown(() => close(fd));
  file(daemon, 'ok.php');
  return daemon;
}

export function file(
  daemon: FakeDaemon,
  name: string,
  owner = games.uid,
  mode = 0o644,
  group = games.gid,
): string {
  const path = name.startsWith('/') ? name : `${daemon.root}/${name}`;
  for (let at = dirname(path); at.startsWith(`${daemon.root}/`); at = dirname(at)) {
    mkdirSync(at, { recursive: true });
    chownSync(at, games.uid, games.gid);
  }
  writeFileSync(path, '<?php');
  chownSync(path, owner, group);
  chmodSync(path, mode);
  return path;
}

export async function explained(
  daemon: FakeDaemon,
  ...args: string[]
): Promise<Explanation & { code: number }> {
  const { code, out, err } = await run('explain', ...args, '--json', '-c', daemon.configFile);
  if (out === '') throw new Error(err);
  return { code, ...(JSON.parse(out) as Explanation) };
}

export const failureOf = (explanation: Explanation) => explanation.steps.find(({ ok }) => !ok);
