/** What the three web servers' configurations have in common. */

import type { Config } from '../config/config.js';
import { GuiseError } from '../error.js';
import { type Site, siteSocketPath } from '../site/site.js';

export interface WebOptions {
  /** Only what goes inside a virtual host that exists already. */
  readonly bare: boolean;
  /** Apache only: how requests are handed over. */
  readonly form: 'sethandler' | 'proxypassmatch';
  /** ADDRESS:PORT of the virtual host; absent: port 80 of every address. */
  readonly listen?: string;
}

/** What handing scripts over needs to know of a site. */
export type Passed = Pick<Site, 'name' | 'keys' | 'suffixes' | 'timeLimitMs' | 'queueTimeoutMs'>;

/** The socket that all sites share. */
export function sharedSocketPath(runDirectory: string): string {
  return `${runDirectory}/guise.sock`;
}

/** The socket that the web server must connect to for this site. */
export function socketOf(config: Config, site: Site): string {
  return site.socket === 'own'
    ? siteSocketPath(config.paths.run, site.name)
    : sharedSocketPath(config.paths.run);
}

/** How long the web server should wait, in seconds: longer than guise, whose own page says more. */
export function patienceSeconds(site: Passed): number {
  return Math.ceil((site.timeLimitMs + site.queueTimeoutMs) / 1000) + 15;
}

/** A regular expression for the allowed suffixes, without their dots: `php` or `(?:php|phtml)`. */
export function suffixPattern(site: Passed): string {
  const words = site.suffixes.map((suffix) => suffix.slice(1));
  return words.length === 1 ? (words[0] ?? 'php') : `(?:${words.join('|')})`;
}

/** Refuses a value that a web server's language cannot carry. Throws GuiseError SITE_INVALID. */
export function refuseCharacters(
  site: Site,
  what: string,
  value: string,
  pattern: RegExp,
  server: string,
): void {
  const match = pattern.exec(value);
  if (match === null) return;
  throw new GuiseError(
    'SITE_INVALID',
    `${server}'s configuration cannot hold the ${what} of ${site.name}: ${JSON.stringify(match[0])} has a meaning there, in ${JSON.stringify(value)}`,
    { file: site.file, remedy: 'use a path without that character, for example by a symbolic link' },
  );
}

/** The heading of every snippet. */
export function heading(site: Site, server: string, where: string): string[] {
  return [
    `# ${site.name} by guise, for ${server}. ${where}`,
    "# Holds the secret key of the site: keep this file root's, mode 0640 (chown root: FILE; chmod 640 FILE).",
  ];
}

/** Lines one step further in; empty ones stay empty. */
export function indent(lines: readonly string[], by = '    '): string[] {
  return lines.map((line) => (line === '' ? '' : by + line));
}
