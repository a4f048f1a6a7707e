/**
 * DokuWiki as a site's user would install it below their home. It comes from Debian's packages, which bin/setup
 * unpacks: installing them would enable a snippet in the system's Apache.
 */

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { succeed } from '../../src/quickstart/command.js';
import type { Site } from './guise.js';
import { peers } from './peer.js';

/** Debian's paths of the libraries that DokuWiki loads, in the few files that name them. */
const naming = [
  'lib/exe/jquery.php',
  'lib/exe/js.php',
  'inc/load.php',
  'inc/parserutils.php',
  'vendor/composer/autoload_static.php',
];

/** Puts DokuWiki into the site's document root, its data and settings beside it. Everything belongs to the user. */
export async function installDokuWiki(site: Site): Promise<{ data: string }> {
  const { root, user } = site;
  const home = root.replace(/\/www$/, '');
  const copy = (from: string, to: string): void =>
    cpSync(`${peers}/${from}`, to, { recursive: true, dereference: false });
  copy('usr/share/dokuwiki', root);
  // These are symbolic links into directories of the package that was not installed.
  for (const name of ['.htaccess', 'install.php', 'lib/tpl', 'lib/plugins']) {
    rmSync(`${root}/${name}`, { recursive: true, force: true });
  }
  for (const name of ['tpl', 'plugins']) copy(`var/lib/dokuwiki/lib/${name}`, `${root}/lib/${name}`);
  copy('etc/dokuwiki', `${home}/conf`);
  for (const name of ['acl.auth.php', 'users.auth.php']) rmSync(`${home}/conf/${name}`, { force: true });
  copy('var/lib/dokuwiki/data', `${home}/data`);
  for (const name of ['php', 'php-geshi', 'javascript']) copy(`usr/share/${name}`, `${home}/share/${name}`);

  for (const name of naming) {
    const file = `${root}/${name}`;
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll("'/usr/share/", `'${home}/share/`));
  }
  writeFileSync(
    `${root}/inc/preload.php`,
    `<?php\ndefine('DOKU_MAIN_CONF', '${home}/conf/');\ndefine('DOKU_CONF', '${home}/conf/');\n`,
  );
  writeFileSync(
    `${home}/conf/local.php`,
    `<?php\n$conf['title'] = 'A wiki of ${user.name}';\n$conf['savedir'] = '${home}/data';\n$conf['useacl'] = 0;\n`,
  );
  await succeed('chown', ['-R', `${user.name}:`, home]);
  return { data: `${home}/data` };
}

/** Every file beneath a directory, absolute. */
export function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}
