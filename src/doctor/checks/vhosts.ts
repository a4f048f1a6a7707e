/** Virtual hosts and sites: that each host sends the key of the site that it is for, and that nobody else serves it. */

import { statSync } from 'node:fs';
import { quoteShell } from '../../config/toml-file.js';
import { userByUid } from '../../os/identity.js';
import type { Site } from '../../site/site.js';
import type { Place, SentKey, WebHost } from '../../web/host.js';
import { socketOf } from '../../web/snippet.js';
import type { Ailment, Check, Look } from '../check.js';
import { hostLabel, type SeenHost, seenHosts } from '../web-view.js';

function hosts({ config, registry, webs }: Look): readonly SeenHost[] {
  return seenHosts({ config, sites: registry.sites, webs });
}

/** The command that puts the right key where it is sent, for the servers that were looked at. */
export function rekeyCommand(look: Pick<Look, 'webs'>, name: string): string {
  const files = look.webs
    .filter(({ file }) => !/^\/etc\/(apache2\/apache2|nginx\/nginx)\.conf$/.test(file))
    .map(({ server, file }) => ` --${server} ${quoteShell(file)}`);
  return `guise web rekey ${name}${files.join('')}   # then reload the web server`;
}

export const keyMissing: Check = {
  id: 'vhost-key-missing',
  severity: 'error',
  title: 'a virtual host hands scripts to guise and sends no key',
  examine: (look) =>
    hosts(look).flatMap(({ host, toGuise, site, isAutomatic }): Ailment[] => {
      if (toGuise.length === 0 || host.keys.length > 0 || site?.keyRequired === false) return [];
      // A program that is not PHP reads no key: its socket is its own.
      if (site?.command !== undefined) return [];
      if (site === undefined && !isAutomatic) return [];
      return [
        {
          about: `${host.file}:${host.line}`,
          message: `${hostLabel(host)} sends no key, so guise refuses its requests (no-key)`,
          found: 'no GUISE_KEY',
          expected: site === undefined ? 'the key of [auto]' : `the key of ${site.name}`,
          remedy: site === undefined ? `guise web ${host.server} --auto` : rekeyCommand(look, site.name),
        },
      ];
    }),
};

/** Keys that a host sends and that are neither its site's nor, on a host of automatic sites, theirs. */
function strangeKeys(look: Look, { host, site }: SeenHost): SentKey[] {
  const auto = look.config.auto?.key;
  const right =
    site === undefined ? new Set(look.registry.sites.flatMap(({ keys }) => keys)) : new Set(site.keys);
  return host.keys.filter(({ key }) => !right.has(key) && (auto === undefined || key !== auto));
}

export const keyWrong: Check = {
  id: 'vhost-key-wrong',
  severity: 'error',
  title: 'a virtual host sends a key that is not that of its site',
  examine: (look) =>
    hosts(look).flatMap((seen) => {
      const { host, toGuise, site } = seen;
      if (toGuise.length === 0) return [];
      return strangeKeys(look, seen).map(({ key, file, line }): Ailment => {
        const owner = look.registry.sites.find(({ keys }) => keys.includes(key));
        return {
          about: `${file}:${line}`,
          message:
            owner === undefined
              ? `${hostLabel(host)} sends a key that no site has, so guise refuses its requests (wrong-key)`
              : `${hostLabel(host)} sends the key of ${owner.name}: its requests run as ${owner.user.name}, or are refused`,
          found: owner === undefined ? 'a key that no site has' : `the key of ${owner.name}`,
          expected: site === undefined ? 'the key of a site' : `the key of ${site.name}`,
          remedy: site === undefined ? addCommand(look, seen) : rekeyCommand(look, site.name),
        };
      });
    }),
};

export const keyOld: Check = {
  id: 'vhost-key-old',
  severity: 'warning',
  title: 'a virtual host sends a key that is accepted for a while only',
  examine: (look) =>
    hosts(look).flatMap(({ host, toGuise, site }) => {
      if (toGuise.length === 0 || site === undefined) return [];
      return host.keys.flatMap(({ key, file, line }): Ailment[] => {
        const old = site.keyring.find((entry) => entry.key === key && Number.isFinite(entry.untilMs));
        if (old === undefined) return [];
        return [
          {
            about: `${file}:${line}`,
            message: `${hostLabel(host)} still sends the old key of ${site.name}`,
            found: `a key that is accepted until ${new Date(old.untilMs).toISOString()}`,
            expected: 'the new key',
            remedy: rekeyCommand(look, site.name),
          },
        ];
      });
    }),
};

export const hostWithoutSite: Check = {
  id: 'vhost-without-site',
  severity: 'error',
  title: 'a virtual host hands scripts to guise, and there is no site for it',
  examine: (look) =>
    hosts(look).flatMap((seen): Ailment[] => {
      const { host, toGuise, site, isAutomatic } = seen;
      const isKnown = host.keys.some(({ key }) => look.registry.sites.some(({ keys }) => keys.includes(key)));
      if (toGuise.length === 0 || site !== undefined || isAutomatic || isKnown) return [];
      // A key that is wrong is told by its own check.
      if (host.keys.length > 0) return [];
      return [
        {
          about: `${host.file}:${host.line}`,
          message: `${hostLabel(host)} hands scripts to guise, and no site has its name or its root`,
          found: `root ${host.root ?? 'none'}`,
          expected: 'a site with that name',
          remedy: addCommand(look, seen),
        },
      ];
    }),
};

/** Adds the site, as the owner of the root. */
function addCommand(look: Look, { host }: SeenHost): string {
  const [name = 'NAME', ...aliases] = host.names;
  const root = host.root ?? 'DIRECTORY';
  const uid = statSync(root, { throwIfNoEntry: false })?.uid ?? 0;
  const user = uid === 0 ? 'USER' : (userByUid(uid)?.name ?? 'USER');
  const others = aliases.length === 0 ? '' : ` --alias ${aliases.map(quoteShell).join(' ')}`;
  return `guise site add ${quoteShell(name)} --user ${quoteShell(user)} --root ${quoteShell(root)}${others} && ${rekeyCommand(look, quoteShell(name))}`;
}

export const siteWithoutHost: Check = {
  id: 'site-without-vhost',
  severity: 'note',
  title: 'no virtual host hands scripts of a site to guise',
  examine: (look) => {
    if (look.webs.length === 0) return [];
    const served = new Set(hosts(look).flatMap(({ toGuise, site }) => (toGuise.length > 0 ? [site] : [])));
    const sent = new Set(hosts(look).flatMap(({ host }) => host.keys.map(({ key }) => key)));
    const isServed = (site: Site): boolean => served.has(site) || site.keys.some((key) => sent.has(key));
    return look.registry.sites
      .filter((site) => !isServed(site))
      .map((site) => ({
        about: site.file,
        message: `no virtual host that was found hands scripts of ${site.name} to guise`,
        found: look.webs.map(({ file }) => file).join(', '),
        expected: `a host ${site.name}`,
        remedy: `guise web ${look.webs[0]?.server ?? 'apache'} ${site.name}   # prints it`,
      }));
  },
};

/** Names guise's socket where another one stands, and puts the key beside it; an address is no path and needs a hand. */
function moveCommand(look: Look, site: Site, host: WebHost, pass: Place & { target: string }): string {
  const { target, file, line } = pass;
  const safe = /^\/[A-Za-z0-9_./@:+~,=-]+$/;
  const socket = socketOf(look.config, site);
  if (!safe.test(target) || !safe.test(socket))
    return `guise web ${host.server} ${site.name} --bare   # put these lines in its place`;
  const pattern = target.replaceAll('.', '\\.');
  return `sed -i --follow-symlinks '${line}s#unix:${pattern}#unix:${socket}#' ${quoteShell(file)} && ${rekeyCommand(look, site.name)}`;
}

export const servedByAnother: Check = {
  id: 'served-by-another',
  severity: 'error',
  title: "something beside guise runs a site's scripts, perhaps as another user",
  examine: (look) =>
    hosts(look).flatMap(({ host, toOthers, site }): Ailment[] => {
      if (site === undefined) return [];
      const expected = `guise, as ${site.user.name}`;
      const others = toOthers.map(({ target, file, line }) => ({
        about: `${file}:${line}`,
        message: `${hostLabel(host)} hands scripts of ${site.name} to something that is not guise`,
        found: target,
        expected,
        remedy: moveCommand(look, site, host, { target, file, line }),
      }));
      const { user } = host;
      if (user === undefined || user.name === site.user.name || user.name === `#${site.user.uid}`)
        return others;
      return [
        ...others,
        {
          about: `${user.file}:${user.line}`,
          message: `${hostLabel(host)} runs programs of ${site.name} as another user, through ${user.by}`,
          found: user.name,
          expected,
          remedy: `sed -i --follow-symlinks '${user.line}s/^ *\\(Suexec\\|AssignUser\\)/# &/I' ${quoteShell(user.file)}   # then reload Apache`,
        },
      ];
    }),
};
