/**
 * A command under a site's identity, as its workers are started: user and groups, limits, confinement, umask, and an
 * environment of the site's own. Nothing goes with it but three descriptors and the name of the terminal's kind.
 *
 * Privilege: root. The command is the caller's, who is root; what it becomes is decided by the site's configuration.
 */

import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Config } from '../config/config.js';
import { GuiseError } from '../error.js';
import { launch } from '../os/launch.js';
import type { Site } from '../site/site.js';
import { confinementOf } from './confinement.js';
import { libraryDirectory, prepareSite, siteDirectories } from './layout.js';
import { type PhpCommand, phpCommand } from './php-command.js';
import { restraintsOf } from './restraints.js';

/** Where a command without a slash is looked for: directories of root. */
const searched = ['/usr/local/bin', '/usr/bin', '/bin'];

/** What only a worker needs. */
const workersOnly = /^(LD_PRELOAD|PHP_FCGI_MAX_REQUESTS|GUISE_.*)$/;

/**
 * Starts it in a session of its own, with our standard input and output: it has no controlling terminal, and so cannot
 * put input into that of root.
 *
 * @param words the command and its arguments
 * @param terminal TERM, where there is one
 * @returns its pid
 * @throws GuiseError USAGE, LAUNCH_FAILED, NOT_PERMITTED, SITE_INVALID
 */
export function launchInSite(
  config: Config,
  site: Site,
  words: readonly string[],
  terminal?: string,
): number {
  const directories = siteDirectories(config, site.name);
  // A size is a file system of its own, which is the daemon's to make and to remove.
  if (!existsSync(directories.tmp)) prepareSite(config, { ...site, tmpSizeBytes: 0 });
  const library = `${libraryDirectory(config)}/guise-preload.so`;
  const landlock = confinementOf(site, directories, library, config.requireConfinement);
  const php = phpCommand(site, directories, library);
  const { uid, gid, groups, shell } = site.user;
  const env = Object.fromEntries(Object.entries(php.env).filter(([name]) => !workersOnly.test(name)));
  return launch({
    ...programOf(site, words, php),
    env: {
      SHELL: shell,
      ...env,
      ...(terminal !== undefined && /^[\w.+-]{1,40}$/.test(terminal) ? { TERM: terminal } : {}),
    },
    cwd: site.root,
    descriptors: [0, 1, 2],
    identity: { uid, gid, groups },
    ...restraintsOf(site),
    newSession: true,
    ...(landlock === undefined ? {} : { landlock }),
  }).pid;
}

/** `php` and `php-cgi` are those of the site, with its settings. */
function programOf(
  site: Site,
  [word = '', ...rest]: readonly string[],
  { args }: PhpCommand,
): { readonly file: string; readonly args: string[] } {
  const isPhp = /^php(-cgi)?[\d.]*$/.test(basename(word));
  const settings = isPhp ? args.slice(1) : [];
  const own = word === 'php-cgi' ? site.php : word === 'php' ? besides(site.php) : undefined;
  return { file: own ?? found(word), args: [word, ...settings, ...rest] };
}

/** The command-line PHP of the same version: `/usr/bin/php8.2` beside `/usr/bin/php-cgi8.2`. */
function besides(phpCgi: string): string | undefined {
  const file = `${dirname(phpCgi)}/${basename(phpCgi).replace('php-cgi', 'php')}`;
  return file !== phpCgi && existsSync(file) ? file : undefined;
}

function found(word: string): string {
  if (word.includes('/')) return resolve(word);
  const file = searched.map((directory) => `${directory}/${word}`).find((path) => existsSync(path));
  if (file !== undefined) return file;
  throw new GuiseError('USAGE', `there is no command ${JSON.stringify(word)} in ${searched.join(', ')}`, {
    remedy: 'name it by its path',
  });
}
