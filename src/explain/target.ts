/**
 * From what a person types (a URL, or a file) to the site that a request for it would belong to, and the path that
 * the web server would send. Web servers map URLs to files in ways that only they know (rewriting, aliases): here
 * the plain way is taken, the site's root with the path behind it, and what was done is told.
 */

import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config/config.js';
import { GuiseError } from '../error.js';
import { type AutoMatch, autoDirectory, autoSiteName, isAutoName, matchAuto } from '../site/auto.js';
import type { Parked, Registry } from '../site/registry.js';
import type { Site } from '../site/site.js';

export type Target =
  | { readonly kind: 'site'; readonly site: Site; readonly script: string; readonly how: string }
  | { readonly kind: 'auto'; readonly match: AutoMatch; readonly script: string; readonly how: string }
  | { readonly kind: 'parked'; readonly parked: Parked; readonly how: string }
  | { readonly kind: 'none'; readonly how: string };

/**
 * @param what `http://…`, `https://…`, or the path of a file
 * @param name the site's name, when it is not to be found out
 * @throws GuiseError USAGE for what is neither a URL nor a path, SITE_UNKNOWN for a name that no site has
 */
export function findTarget(config: Config, registry: Registry, what: string, name?: string): Target {
  const { url, file } = addressOf(what);
  if (name !== undefined)
    return named(registry, name, (site) => (url === undefined ? file : fileOf(site.root, url.path)));
  if (url === undefined) return ofFile(config, registry, file);
  return ofUrl(config, registry, url);
}

export interface Address {
  readonly host: string;
  readonly path: string;
}

/** @throws GuiseError USAGE for what is neither a URL nor the path of a file */
export function addressOf(what: string): { readonly url?: Address; readonly file: string } {
  if (what === '' || what.includes('\0'))
    throw new GuiseError('USAGE', 'a URL or the path of a file is needed');
  return /^https?:\/\//i.test(what) ? { url: parseUrl(what), file: '' } : { file: resolve(what) };
}

function parseUrl(text: string): Address {
  try {
    const url = new URL(text);
    const path = decodeURIComponent(url.pathname);
    if (!path.includes('\0')) return { host: url.hostname.toLowerCase().replace(/\.$/, ''), path };
  } catch {
    // Told below.
  }
  throw new GuiseError('USAGE', `${JSON.stringify(text)} is no URL`, {
    remedy: 'guise explain http://example.com/index.php',
  });
}

/** A URL that ends with a slash means the directory's index. */
export function fileOf(root: string, path: string): string {
  return `${root}${path}${path.endsWith('/') ? 'index.php' : ''}`;
}

function named(registry: Registry, name: string, scriptOf: (site: Site) => string): Target {
  const target = byName(registry, name, scriptOf, '--site');
  if (target !== undefined) return target;
  throw new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(name)}`, {
    remedy: 'guise site list',
  });
}

function byName(
  registry: Registry,
  name: string,
  scriptOf: (site: Site) => string,
  how: string,
): Target | undefined {
  const site = registry.sites.find((one) => one.name === name || one.aliases.includes(name));
  if (site !== undefined) return { kind: 'site', site, script: scriptOf(site), how };
  const parked = registry.parked.find((one) => one.name === name);
  return parked === undefined ? undefined : { kind: 'parked', parked, how };
}

function ofUrl(config: Config, registry: Registry, { host, path }: Address): Target {
  const found = byName(registry, host, (site) => fileOf(site.root, path), `the URL's host ${host}`);
  return found ?? automaticByUrl(config, host, path) ?? { kind: 'none', how: `the URL's host ${host}` };
}

/** `/~alice/x.php` as mod_userdir has it, else the host in the place of the star, as mod_vhost_alias does. */
function automaticByUrl(config: Config, host: string, path: string): Target | undefined {
  const [, user, beneath] = /^\/~([^/]+)(\/.*)$/.exec(path) ?? [];
  const name = user ?? host;
  if (!isAutoName(name)) return undefined;
  for (const [pattern, automatic] of (config.auto?.patterns ?? []).entries()) {
    const directory = autoDirectory(automatic, name);
    if (!existsSync(directory)) continue;
    const match = { pattern, name };
    const how = `${config.auto?.roots[pattern] ?? ''} of [auto], for the URL's ${user === undefined ? 'host' : 'user'}`;
    return { kind: 'auto', match, script: fileOf(directory, beneath ?? path), how };
  }
  return undefined;
}

function ofFile(config: Config, registry: Registry, file: string): Target {
  for (const path of [file, realOf(file)]) {
    const site = withRoot(registry, path);
    if (site !== undefined) return { kind: 'site', site, script: file, how: `its root ${site.root}` };
    const match = matchAuto(config.auto?.patterns ?? [], path);
    if (match === undefined) continue;
    const how = `${config.auto?.roots[match.pattern] ?? ''} of [auto]: ${autoSiteName(match)}`;
    return { kind: 'auto', match, script: path, how };
  }
  return { kind: 'none', how: 'no root of a site, and no pattern of [auto], is above it' };
}

/** Of sites within one another's roots, the innermost. */
function withRoot(registry: Registry, path: string): Site | undefined {
  const around = registry.sites.filter(({ root, realRoot }) =>
    [root, realRoot].some((directory) => path.startsWith(`${directory}/`)),
  );
  return around.sort((a, b) => b.realRoot.length - a.realRoot.length)[0];
}

function realOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
