/** Directories on the way to a site's root, and the ones that guise made for it: whose they are, and who may write. */

import { lstatSync, type Stats } from 'node:fs';
import { formatMode, quoteShell } from '../../config/toml-file.js';
import { siteDirectories } from '../../master/layout.js';
import { ownerName } from '../../os/identity.js';
import type { Site } from '../../site/site.js';
import type { Ailment, Check } from '../check.js';

const sticky = 0o1000;

export const rootWay: Check = {
  id: 'root-way',
  severity: 'error',
  title: "somebody else can put another directory in the place of a site's root",
  examine: ({ registry }) => {
    const told = new Set<string>();
    return registry.sites.flatMap((site) =>
      above(site.realRoot).flatMap((path) => {
        const ailment = told.has(path) ? undefined : wayAilment(site, path);
        if (ailment === undefined) return [];
        told.add(path);
        return [ailment];
      }),
    );
  },
};

/** The root and every directory above it, `/` first. */
function above(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}

function wayAilment(site: Site, path: string): Ailment | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const isRoot = path === site.realRoot;
  const where = isRoot ? `the root of ${site.name}` : `${path}, on the way to the root of ${site.name},`;
  const word = quoteShell(path);
  const owners = [0, site.user.uid, ...site.trustedUids];
  if (!owners.includes(stats.uid)) {
    return {
      about: path,
      message: `${where} belongs to somebody who can put another in its place`,
      found: `owner ${ownerName(stats.uid)}`,
      expected: `owner root or ${site.user.name}`,
      remedy: `chown ${isRoot ? quoteShell(site.user.name) : 'root'} ${word}`,
    };
  }
  if (!isOpen(stats, site, isRoot)) return undefined;
  return {
    about: path,
    message: `others may write to ${where.replace(/,$/, '')}`,
    found: `mode ${formatMode(stats.mode)}, group ${stats.gid}`,
    expected: 'mode 0755 or less',
    remedy: `chmod ${(stats.mode & 0o002) === 0 ? 'g-w' : 'go-w'} ${word}`,
  };
}

/** The group that counts as the user's own is his primary one, as for scripts; above the root a sticky bit helps. */
function isOpen({ mode, gid }: Stats, site: Site, isRoot: boolean): boolean {
  if (!isRoot && (mode & sticky) !== 0) return false;
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== site.user.gid && gid !== 0);
}

export const siteDirectoriesAreTheirs: Check = {
  id: 'site-directories',
  severity: 'error',
  title: "a site's directory for temporary files or sessions is open, or another user's",
  examine: ({ config, registry }) =>
    registry.sites.flatMap((site) => {
      const { tmp, sessions } = siteDirectories(config, site.name);
      return [tmp, sessions].flatMap((path) => privateAilment(site, path));
    }),
};

function privateAilment(site: Site, path: string): Ailment[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  const { uid, gid, name } = site.user;
  if (stats.isDirectory() && stats.uid === uid && (stats.mode & 0o077) === 0) return [];
  const word = quoteShell(path);
  return [
    {
      about: path,
      message: `${path}, private to ${site.name}, is not ${name}'s alone`,
      found: `owner ${ownerName(stats.uid)}, mode ${formatMode(stats.mode)}`,
      expected: `a directory of ${name}, mode 0700`,
      // The directory above is root's, so nobody can have put a link there.
      remedy: `chown -h ${uid}:${gid} ${word} && chmod 0700 ${word}`,
    },
  ];
}
