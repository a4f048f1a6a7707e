/** Puts snippets into a configuration that a real web server checks, and sites into a directory of their own. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Config } from '../../src/config/config.js';
import { readSites } from '../../src/site/registry.js';
import type { Site } from '../../src/site/site.js';
import { peers } from '../harness/peer.js';
import { type Instance, key, makeInstance } from '../site/instance.js';

export interface Web extends Instance {
  readonly settings: Config;
  /** The site of this root, which is made; `more` is added to its file. */
  readonly make: (root: string, more?: string) => Site;
}

/** Everything that a path can have and a configuration still hold, in one directory's name. */
export const oddRoot = `odd "root" %41 & (x) #;{}'s <a> é $`;

export function makeWeb(t: Test): Web {
  const instance = makeInstance(t);
  const settings = instance.config();
  const make = (root: string, more = ''): Site => {
    const path = join(instance.directory, root);
    mkdirSync(path, { recursive: true });
    const text = `name = "a.example"\naliases = ["www.a.example"]\nroot = ${JSON.stringify(path)}\nuser = "games"\nkey = "${key}"\n`;
    instance.site('a.example.toml', text + more);
    const { sites, parked } = readSites(settings);
    const [site] = sites;
    if (site === undefined) throw new Error(JSON.stringify(parked));
    return site;
  };
  return { ...instance, settings, make };
}

export interface Verdict {
  readonly status: number | null;
  readonly words: string;
}

function check(program: string, args: readonly string[]): Verdict {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status, words: stdout + stderr };
}

const modules = ['mpm_event', 'authz_core', 'alias', 'dir', 'proxy', 'proxy_fcgi'];

export function checkApache({ directory }: Instance, snippet: string): Verdict {
  const file = join(directory, 'apache.conf');
  const load = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const base = [
    `ServerRoot "${directory}"`,
    `DefaultRuntimeDir "${directory}"`,
    `ErrorLog "${directory}/error.log"`,
    'ServerName localhost',
    'Listen 127.0.0.1:80',
  ];
  writeFileSync(file, [...base, ...load, snippet, ''].join('\n'));
  return check('/usr/sbin/apache2', ['-t', '-f', file]);
}

export function checkNginx({ directory }: Instance, snippet: string): Verdict {
  const file = join(directory, 'nginx.conf');
  const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  writeFileSync(
    file,
    [`pid ${directory}/nginx.pid;`, 'events {}', 'http {', 'access_log off;', ...own, snippet, '}', ''].join(
      '\n',
    ),
  );
  return check(`${peers}/usr/sbin/nginx`, ['-t', '-e', join(directory, 'nginx.log'), '-c', file]);
}

export function checkLighttpd({ directory }: Instance, snippet: string): Verdict {
  const file = join(directory, 'lighttpd.conf');
  const base = [
    'server.modules = ( "mod_access", "mod_fastcgi", "mod_setenv" )',
    'server.document-root = "/var/empty"',
  ];
  writeFileSync(file, [...base, snippet, ''].join('\n'));
  return check(`${peers}/usr/sbin/lighttpd`, ['-tt', '-m', `${peers}/usr/lib/lighttpd`, '-f', file]);
}
