/**
 * How a site's php-cgi is started: arguments, environment and settings files, all of it composed from the site's
 * configuration and nothing else. Privilege: root writes the settings file into root's own directory.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { scriptVariables } from '../site/script-variables.js';
import type { Site } from '../site/site.js';
import type { SiteDirectories } from './layout.js';

export interface PhpCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Settings that `[PATH=…]` sections cannot lock, because PHP reads them once at its start. */
const startOnly = new Set(['disable_functions', 'disable_classes', 'open_basedir']);

export function phpCommand(site: Site, directories: SiteDirectories, library: string): PhpCommand {
  const { set, lock } = site.phpIni;
  const settings: Record<string, string> = {
    error_log: directories.phpLog,
    log_errors: '1',
    sys_temp_dir: directories.tmp,
    upload_tmp_dir: directories.tmp,
    'session.save_path': directories.sessions,
    'opcache.lockfile_path': directories.tmp,
    ...set,
    ...Object.fromEntries(Object.entries(lock).filter(([name]) => startOnly.has(name))),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-d', `${name}=${quoted(value)}`]);
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
    ...scriptVariables(site),
  };
}

/**
 * Writes the values that scripts and `.user.ini` cannot change: a `[PATH=…]` section makes them the
 * administrator's for every script below the root (php.net, "php.ini sections").
 */
export function writeLockedSettings(site: Site, directories: SiteDirectories): void {
  const lines = Object.entries(site.phpIni.lock)
    .filter(([name]) => !startOnly.has(name))
    .map(([name, value]) => `${name} = ${quoted(value)}`);
  rmSync(directories.ini, { recursive: true, force: true });
  mkdirSync(directories.ini, { mode: 0o755 });
  if (lines.length === 0) return;
  writeFileSync(`${directories.ini}/guise.ini`, `[PATH=${site.realRoot}]\n${lines.join('\n')}\n`, {
    mode: 0o644,
  });
}

/** PHP's ini reader ends an unquoted value at several characters, and knows escapes in a quoted one. */
function quoted(value: string): string {
  return /^[A-Za-z0-9_./:-]*$/.test(value)
    ? value
    : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
