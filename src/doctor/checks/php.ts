/** PHP's own settings, in php.ini and in the files of sites: those that break paths, and those that join sites again. */

import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { quoteShell } from '../../config/toml-file.js';
import { siteDirectories } from '../../master/layout.js';
import type { Site } from '../../site/site.js';
import type { Ailment, Check, Look } from '../check.js';

interface Setting {
  readonly value: string;
  readonly about: string;
  /** The line for a shell that takes the setting away. */
  readonly remedy: string;
}

/** The value that holds for a site: its own, else that of the files that its PHP reads. */
function settingOf(site: Site, name: string): Setting | undefined {
  for (const table of ['lock', 'set'] as const) {
    const value = site.phpIni[table][name];
    const remedy = `guise site set ${site.name} --unset php_ini.${table}.${name}`;
    if (value !== undefined) return { value, about: site.file, remedy };
  }
  return iniSettings(site.php).get(name);
}

const remembered = new Map<string, ReadonlyMap<string, Setting>>();

/** Debian's layout: /usr/bin/php-cgi8.2 reads /etc/php/8.2/cgi/php.ini and conf.d beside it. Others are not known. */
function iniSettings(php: string): ReadonlyMap<string, Setting> {
  const known = remembered.get(php);
  if (known !== undefined) return known;
  const version = /(\d+\.\d+)$/.exec(realOf(php))?.[1] ?? '';
  const directory = `/etc/php/${version}/cgi`;
  const files = [
    `${directory}/php.ini`,
    ...names(`${directory}/conf.d`).map((name) => `${directory}/conf.d/${name}`),
  ];
  const found = new Map(files.flatMap(settingsIn));
  remembered.set(php, found);
  return found;
}

function settingsIn(file: string): [string, Setting][] {
  return read(file)
    .split('\n')
    .flatMap((text, index): [string, Setting][] => {
      const [, name = '', value = ''] = /^\s*([A-Za-z_.]+)\s*=\s*"?([^";]*)"?/.exec(text) ?? [];
      const remedy = `sed -i '${index + 1}s/^ *${name}/;&/' ${quoteShell(file)}   # then restart guise`;
      return name === '' ? [] : [[name, { value: value.trim(), about: `${file}:${index + 1}`, remedy }]];
    });
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.ini'))
      .sort();
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export const fixPathinfo: Check = {
  id: 'fix-pathinfo',
  severity: 'warning',
  title: 'cgi.fix_pathinfo is off, with which applications see wrong paths',
  examine: ({ registry }) =>
    distinct(
      registry.sites.flatMap((site): Ailment[] => {
        const setting = settingOf(site, 'cgi.fix_pathinfo');
        if (setting === undefined || !/^(0|off|no|false|)$/i.test(setting.value)) return [];
        return [
          {
            about: setting.about,
            message: `with cgi.fix_pathinfo off PHP_SELF lacks the script's name where a path follows it; guise has made sure which file runs, so it is not needed here`,
            found: `cgi.fix_pathinfo = ${setting.value}`,
            expected: 'cgi.fix_pathinfo = 1, which is the default',
            remedy: setting.remedy,
          },
        ];
      }),
    ),
};

/** Settings that name a directory, which must be a site's own. */
const directories = ['opcache.file_cache', 'session.save_path', 'upload_tmp_dir', 'sys_temp_dir'];

export const sharedPhpDirectory: Check = {
  id: 'shared-php-directory',
  severity: 'error',
  title: 'two users share a directory in which PHP keeps compiled scripts, sessions or uploads',
  examine: (look) => distinct(directories.flatMap((name) => shared(look, name))),
};

function shared({ config, registry }: Look, name: string): Ailment[] {
  const users = new Map<string, Set<number>>();
  const used = registry.sites.flatMap((site) => {
    // guise itself sets all but the first, after php.ini, so only a site's own word can change those.
    const own = site.phpIni.lock[name] ?? site.phpIni.set[name];
    const setting = own === undefined && isSetByGuise(name) ? undefined : settingOf(site, name);
    const path = setting?.value.replace(/^(\d+;)+/, '').replace(/\/+$/, '') ?? '';
    if (setting === undefined || !path.startsWith('/')) return [];
    const { tmp, sessions } = siteDirectories(config, site.name);
    if ([tmp, sessions].includes(path)) return [];
    users.set(path, (users.get(path) ?? new Set()).add(site.user.uid));
    return [{ site, setting, path }];
  });
  return used
    .filter(({ path }) => (users.get(path)?.size ?? 0) > 1)
    .map(({ site, setting, path }) => ({
      about: setting.about,
      message: `${site.name} shares ${path} with sites of other users (${name}): what one writes there, another may read or run`,
      found: `${name} = ${path}, for ${users.get(path)?.size ?? 0} users`,
      expected: "a directory of the site's own, or no such setting",
      remedy: setting.remedy,
    }));
}

function isSetByGuise(name: string): boolean {
  return name === 'session.save_path' || name === 'upload_tmp_dir' || name === 'sys_temp_dir';
}

/** What stands in php.ini is told once and not for every site. */
function distinct(ailments: readonly Ailment[]): Ailment[] {
  return [...new Map(ailments.map((ailment) => [ailment.about + ailment.found, ailment])).values()];
}
