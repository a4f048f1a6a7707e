/**
 * Configuration for lighttpd 1.4. It finds scripts and splits off PATH_INFO itself (check-local), and it has no
 * file like .htaccess, so nothing in a document root can change what is set here.
 *
 * Source: mod_fastcgi and mod_setenv of lighttpd's manual.
 */

import type { Config } from '../config/config.js';
import type { Site } from '../site/site.js';
import { lighttpdProgram } from './program.js';
import { heading, indent, patienceSeconds, refuseCharacters, socketOf, type WebOptions } from './snippet.js';

export function lighttpdConfiguration(config: Config, site: Site, options: WebOptions): string {
  if (site.command !== undefined) return lighttpdProgram(config, site, options);
  const socket = socketOf(config, site);
  refuseCharacters(site, 'socket', socket, /[^A-Za-z0-9_./@:+~,=-]/, 'lighttpd');
  // A backslash before another character keeps its own meaning there, which differs between versions.
  refuseCharacters(site, 'root', site.root, /\\/, 'lighttpd');
  const inside = [...documents(site), '', ...scripts(site, socket)];
  const modules =
    '# Modules: server.modules += ( "mod_access", "mod_fastcgi", "mod_setenv" ), once for all sites.';
  if (options.bare) {
    return [
      ...heading(site, 'lighttpd', 'Belongs inside its $HTTP["host"] section.'),
      modules,
      ...inside,
      '',
    ].join('\n');
  }
  const names = [site.name, ...site.aliases].map((name) => name.replaceAll('.', '\\.')).join('|');
  const host = [`$HTTP["host"] =~ "^(${names})(:[0-9]+)?$" {`, ...indent(inside), '}'];
  const section =
    options.listen === undefined
      ? host
      : [`$SERVER["socket"] == "${options.listen}" {`, ...indent(host), '}'];
  return [...heading(site, 'lighttpd', 'A complete section.'), modules, ...section, ''].join('\n');
}

function documents(site: Site): string[] {
  return [
    `server.document-root = "${site.root.replaceAll('"', '\\"')}"`,
    'index-file.names = ( "index.php", "index.html" )',
    '# lighttpd itself reads static files for everybody, and it cannot compare owners, so it follows no links.',
    '# Enable this only for a site whose user may read everything that lighttpd may read.',
    'server.follow-symlink = "disable"',
    '# The sources of scripts are never sent as they are.',
    `static-file.exclude-extensions = ( ${site.suffixes.map((suffix) => `"${suffix}"`).join(', ')} )`,
    "# .htaccess, .git and their like are nobody's business.",
    '$HTTP["url"] =~ "/\\.(?!well-known(?:/|$))" {',
    '    url.access-deny = ( "" )',
    '}',
    '# guise has limits of its own and answers with a page when they are reached; this one is longer.',
    `server.max-write-idle = ${patienceSeconds(site)}`,
  ];
}

function scripts(site: Site, socket: string): string[] {
  const [key] = site.keys;
  const backend = [
    `"socket" => "${socket}",`,
    '# Only scripts that exist; lighttpd answers 404 for others.',
    '"check-local" => "enable",',
    '# After a refused connection try again with the next request.',
    '"disable-time" => 0',
  ];
  return [
    '# Which site this is, and the proof.',
    'setenv.add-environment = (',
    ...indent([
      `"GUISE_SITE" => "${site.name}"${key === undefined ? '' : ','}`,
      ...(key === undefined ? [] : [`"GUISE_KEY" => "${key}"`]),
    ]),
    ')',
    'fastcgi.server = (',
    ...indent(
      site.suffixes.flatMap((suffix, index) => {
        const comma = index === site.suffixes.length - 1 ? '' : ',';
        return [`"${suffix}" => ( "guise-${site.name}" => (`, ...indent(backend), `) )${comma}`];
      }),
    ),
    ')',
  ];
}
