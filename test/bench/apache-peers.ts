/** The peers that run PHP behind or inside Apache, without guise. */

import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { type Accounted, phpManager, webServer } from './accounts.js';
import { kept, startPeerApache, toSocket } from './apache.js';
import type { Lab } from './lab.js';
import { type Peer, processes, type Running } from './peer.js';
import { phpIni, pm, spawnPhpCgi, startFpm } from './php.js';
import { php, unpacked } from './places.js';

const proxy = ['proxy', 'proxy_fcgi'];

function fpmPeer(id: string, processLines: string, reuse = false): Peer {
  return {
    id,
    start: async (lab, directory) => {
      const socket = `${directory}/fpm.sock`;
      const fpm = await startFpm(lab, directory, [{ name: 'bench', socket, pm: processLines }]);
      const inside = toSocket(socket);
      const before = reuse ? kept(socket) : '';
      const settings = { mpm: 'event', modules: proxy, inside, before, root: lab.root } as const;
      const apache = await startPeerApache(lab, directory, settings);
      return { port: apache.port, accounts: [webServer(apache.pid), phpManager(fpm.pid)] };
    },
  };
}

/** PHP inside Apache's own processes: all as the site's user, or with mpm-itk one at a time. */
function modPhp(id: string, itk: boolean): Peer {
  return {
    id,
    start: async (lab, directory) => {
      const own = itk ? [['mpm_itk', 'mpm_itk.so'] as const] : [];
      const user = `AssignUserID ${lab.user.name} ${lab.user.name}`;
      const apache = await startPeerApache(lab, directory, {
        mpm: 'prefork',
        modules: [...own, ['php', 'libphp8.2.so']],
        env: [`PHP_INI_SCAN_DIR=${php.scan}`],
        before: `PHPIniDir ${phpIni(directory)}`,
        inside: `<FilesMatch "\\.php$">\nSetHandler application/x-httpd-php\n</FilesMatch>\n${itk ? user : ''}`,
        root: lab.root,
        ...(itk ? {} : { user: lab.user.name }),
      });
      return { port: apache.port, accounts: [webServer(apache.pid)] };
    },
  };
}

const spawnFcgi: Peer = {
  id: 'spawn-fcgi',
  start: async (lab, directory) => {
    const socket = `${directory}/cgi.sock`;
    const cgi = await spawnPhpCgi(lab, directory, socket);
    const settings = { mpm: 'event', modules: proxy, inside: toSocket(socket), root: lab.root } as const;
    const apache = await startPeerApache(lab, directory, settings);
    return { port: apache.port, accounts: [webServer(apache.pid), phpManager(cgi.pid)] };
  },
};

/**
 * Apache with suexec. suexec has a fixed place, and serves nothing outside /var/www: both are bind mounts in a
 * namespace that only this Apache is in, so the machine's own directories stay as they are.
 */
async function withSuexec(
  lab: Lab,
  directory: string,
  modules: readonly (string | readonly [string, string])[],
  inside: (wrapper: string) => string,
  before = '',
): Promise<Running> {
  const library = `${directory}/apache2`;
  cpSync('/usr/lib/apache2', library, { recursive: true });
  cpSync(`${unpacked}/usr/lib/apache2/suexec-pristine`, `${library}/suexec`);
  // Debian's ownership and mode: only www-data may run it, and it runs as root.
  chownSync(`${library}/suexec`, 0, lab.webGid);
  chmodSync(`${library}/suexec`, 0o4754);
  // Where suexec insists on writing its own log.
  const logs = `${directory}/log`;
  mkdirSync(`${logs}/apache2`, { recursive: true });
  const home = lab.root.replace(/\/www$/, '');
  const cgi = `${home}/cgi-${lab.next()}`;
  mkdirSync(cgi, { mode: 0o755 });
  const environment = `PHPRC=${phpIni(directory)} PHP_FCGI_MAX_REQUESTS=0`;
  writeFileSync(`${cgi}/php`, `#!/bin/sh\nexport ${environment}\nexec /usr/bin/php-cgi\n`, { mode: 0o755 });
  for (const path of [cgi, `${cgi}/php`]) chownSync(path, lab.user.uid, lab.user.gid);
  const seen = cgi.replace(home, '/var/www');
  // A place to mount on: without Debian's apache2 package there is none.
  if (!existsSync('/var/www')) {
    mkdirSync('/var/www', { mode: 0o755 });
    lab.undo.push('remove /var/www', () => rmdirSync('/var/www'));
  }
  const allowed = `<Directory ${seen}>\nRequire all granted\nOptions ExecCGI\n</Directory>`;
  const apache = await startPeerApache(lab, directory, {
    mpm: 'event',
    modules: ['suexec', ...modules],
    before: `${before}\n${allowed}`,
    inside: `SuexecUserGroup ${lab.user.name} ${lab.user.name}\n${inside(seen)}`,
    root: '/var/www/www',
    mounts: [
      [library, '/usr/lib/apache2'],
      [home, '/var/www'],
      [logs, '/var/log'],
    ],
  });
  const account: Accounted = {
    pid: apache.pid,
    kindOf: (entry) => (entry.uid === lab.user.uid ? 'workers' : 'web'),
    endedKindOf: () => 'workers',
  };
  return { port: apache.port, accounts: [account] };
}

const suexec: Peer = {
  id: 'suexec',
  start: (lab, directory) =>
    withSuexec(
      lab,
      directory,
      ['cgi', 'actions'],
      (cgi) => `ScriptAlias /run-php/ ${cgi}/
AddHandler php-script .php
Action php-script /run-php/php`,
    ),
};

const fcgid: Peer = {
  id: 'mod-fcgid',
  start: (lab, directory) => {
    const shared = lab.place(`fcgid-${lab.next()}`);
    chownSync(shared, lab.webUid, lab.webGid);
    const before = `FcgidIPCDir ${shared}
FcgidProcessTableFile ${shared}/table
FcgidMaxRequestLen 16777216
FcgidMaxProcesses ${processes}
FcgidMaxProcessesPerClass ${processes}
FcgidMinProcessesPerClass ${processes}
FcgidMaxRequestsPerProcess 0`;
    return withSuexec(
      lab,
      directory,
      [['fcgid', 'mod_fcgid.so']],
      (cgi) => `<FilesMatch "\\.php$">
SetHandler fcgid-script
</FilesMatch>
FcgidWrapper ${cgi}/php .php`,
      before,
    );
  },
};

export const apachePeers: readonly Peer[] = [
  fpmPeer('fpm-static', pm.static),
  fpmPeer('fpm-ondemand', pm.ondemand),
  fpmPeer('fpm-fresh', pm.fresh),
  fpmPeer('fpm-reuse', pm.static, true),
  modPhp('prefork', false),
  modPhp('mpm-itk', true),
  spawnFcgi,
  suexec,
  fcgid,
];
