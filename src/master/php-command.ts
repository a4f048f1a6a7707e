/**
 * How a site's php-cgi is started: arguments, environment and settings files, all of it composed from the site's
 * configuration and nothing else. Privilege: root writes the settings file into root's own directory.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { GuiseError } from '../error.js';
import { scriptVariables } from '../site/script-variables.js';
import type { Site } from '../site/site.js';
import type { SiteDirectories } from './layout.js';

export interface PhpCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What PHP takes from the command line for good, and not from a `[PATH=…]` section. */
const startOnly = new Set(['disable_functions', 'disable_classes', 'open_basedir']);

/**
 * PHP removes old sessions itself, one request in a thousand looks for them: Debian switches that off for a cron job
 * that knows only one directory. What is old, a script may say (session.gc_maxlifetime).
 */
const collecting = { 'session.gc_probability': '1', 'session.gc_divisor': '1000' };

export function phpCommand(site: Site, directories: SiteDirectories, library: string): PhpCommand {
  const { set, lock } = site.phpIni;
  const settings: Record<string, string> = {
    error_log: directories.phpLog,
    log_errors: '1',
    sys_temp_dir: directories.tmp,
    upload_tmp_dir: directories.tmp,
    'session.save_path': directories.sessions,
    'opcache.lockfile_path': directories.tmp,
    ...collecting,
    ...set,
    // Also those of the file below: some settings take effect only when PHP starts.
    ...lock,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-d', `${name}=${written(name, value)}`]);
  return { args: [site.php, ...args], env: environment(site, directories, library) };
}

function environment(site: Site, directories: SiteDirectories, library: string): Record<string, string> {
  const { user } = site;
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    TMPDIR: directories.tmp,
    ...site.env,
    // What follows is guise's own and cannot be set by a site.
    PHP_FCGI_MAX_REQUESTS: '0',
    // An empty first element keeps the directory that PHP was built with.
    PHP_INI_SCAN_DIR: `:${directories.ini}`,
    LD_PRELOAD: library,
    GUISE_TIME_LIMIT: String(site.timeLimitMs),
    GUISE_ERROR_LOG: directories.phpLog,
    ...scriptVariables(site),
  };
}

/**
 * Writes the values that scripts and `.user.ini` cannot change: a `[PATH=…]` section makes them the administrator's
 * for every script below a directory (php.net, "php.ini sections"). PHP goes by the script's name and does not
 * resolve links, and the root may be a link that is replaced; so the section is for the top directory of the root as
 * written, and no script is named in another way (native/preload/site.h). Only this site's processes read the file.
 */
export function writeLockedSettings(site: Site, directories: SiteDirectories): void {
  const lines = Object.entries(site.phpIni.lock)
    .filter(([name]) => !startOnly.has(name))
    .map(([name, value]) => `${name} = ${written(name, value)}`);
  rmSync(directories.ini, { recursive: true, force: true });
  mkdirSync(directories.ini, { mode: 0o755 });
  if (lines.length === 0) return;
  writeFileSync(`${directories.ini}/guise.ini`, `[PATH=${topDirectory(site.root)}]\n${lines.join('\n')}\n`, {
    mode: 0o644,
  });
}

/** `/home` of `/home/alice/www`; as it must stand in the header of a section, where nothing can be escaped. */
function topDirectory(path: string): string {
  const end = path.indexOf('/', 1);
  const top = end === -1 ? path : path.slice(0, end);
  if (!/["'\]$;]/.test(top)) return top;
  throw new GuiseError(
    'SITE_INVALID',
    `PHP settings cannot be locked below ${top}: PHP cannot read that name`,
  );
}

/** The one setting that people write as an expression of PHP's constants, as in php.ini. */
const expression = /^[A-Z0-9_ ~&|^!()]+$/;

function written(name: string, value: string): string {
  return name === 'error_reporting' && expression.test(value) ? value : quoted(value);
}

/** In single quotes PHP's ini reader takes everything as it is, and texts side by side are one. */
function quoted(value: string): string {
  if (/^[A-Za-z0-9_./:-]*$/.test(value)) return value;
  return value
    .split(/('+)/)
    .map((part) => (part.startsWith("'") ? `"${part}"` : part === '' ? '' : `'${part}'`))
    .join('');
}
