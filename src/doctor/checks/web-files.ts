/** The files of the web servers' configuration: keys that others can read, files that others can write. */

import { statSync } from 'node:fs';
import { formatMode, quoteShell } from '../../config/toml-file.js';
import { ownerName } from '../../os/identity.js';
import type { Ailment, Check, Look } from '../check.js';

export const webSecret: Check = {
  id: 'web-secret',
  severity: 'error',
  title: "a file of the web server's holds a key, and every user of the machine can read it",
  examine: (look) => {
    const { config } = look;
    return keyFiles(look).flatMap((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      if (stats === undefined || (stats.mode & 0o007) === 0) return [];
      const names = look.registry.sites
        .filter((site) => holds(look, file, site.keys))
        .map(({ name }) => name);
      const renew = names.map((name) => `guise site set ${name} --rotate-key && guise web rekey ${name}`);
      const other = config.auto !== undefined && holds(look, file, [config.auto.key]);
      const more = [...renew.slice(0, 2), ...(other ? ['a new key under [auto]'] : [])].join('; ');
      return [
        {
          about: file,
          message: `${file} holds the key of a site, and every user of this machine may read it`,
          found: `mode ${formatMode(stats.mode)}`,
          expected: 'mode 0640 or 0600',
          remedy: `chmod o-rwx ${quoteShell(file)}${more === '' ? '' : `   # whoever has read it has the key: ${more}`}`,
        },
      ];
    });
  },
};

function holds({ webs }: Look, file: string, keys: readonly string[]): boolean {
  return webs.some(({ hosts }) =>
    hosts.some((host) => host.keys.some((sent) => sent.file === file && keys.includes(sent.key))),
  );
}

function keyFiles({ webs }: Look): string[] {
  return [...new Set(webs.flatMap(({ hosts }) => hosts.flatMap(({ keys }) => keys.map(({ file }) => file))))];
}

export const webFileOwner: Check = {
  id: 'web-file-owner',
  severity: 'error',
  title: "a file of the web server's configuration can be changed by others than root",
  examine: ({ webs }) =>
    [...new Set(webs.flatMap(({ tree }) => tree.files))].flatMap((file): Ailment[] => {
      const stats = statSync(file, { throwIfNoEntry: false });
      if (stats === undefined) return [];
      const isOpen = (stats.mode & 0o002) !== 0 || ((stats.mode & 0o020) !== 0 && stats.gid !== 0);
      if (stats.uid === 0 && !isOpen) return [];
      const word = quoteShell(file);
      return [
        {
          about: file,
          message: `${file} is read by the web server as root, and somebody else can change it`,
          found: `owner ${ownerName(stats.uid)}, mode ${formatMode(stats.mode)}`,
          expected: 'owner root, writable by nobody else',
          remedy: `chown root ${word} && chmod go-w ${word}`,
        },
      ];
    }),
};

export const webUnread: Check = {
  id: 'web-unread',
  severity: 'note',
  title: "a part of the web server's configuration could not be read, so nothing is known about it",
  examine: ({ webs }) =>
    webs.flatMap(({ tree }) =>
      tree.unread.map(({ file, line, why }) => ({
        about: `${file}:${line}`,
        message: `this was not looked at: ${why}`,
        found: why,
        expected: 'configuration without macros, and files that exist',
        remedy: '',
      })),
    ),
};
