/**
 * Configuration for Apache 2.4 with mod_proxy_fcgi. The key is set with ProxyFCGISetEnvIf, which acts when the
 * request is sent: no .htaccess expression can read it, it makes no REDIRECT_ copy by itself, and it wins over
 * a SetEnv of the same name. A tenant's own ProxyFCGISetEnvIf can still replace it, and then locks himself out.
 *
 * Source: mod_proxy_fcgi and mod_proxy of the Apache 2.4 manual.
 */

import type { Config } from '../config/config.js';
import type { Site } from '../site/site.js';
import { apacheProgram } from './program.js';
import {
  heading,
  indent,
  type Passed,
  patienceSeconds,
  refuseCharacters,
  socketOf,
  suffixPattern,
  type WebOptions,
} from './snippet.js';

export function apacheConfiguration(config: Config, site: Site, options: WebOptions): string {
  if (site.command !== undefined) return apacheProgram(config, site, options);
  const socket = socketOf(config, site);
  // `|` ends the socket's path, `%` begins an escape, and blanks would need quotes that the proxy: form lacks.
  refuseCharacters(site, 'socket', socket, /[^A-Za-z0-9_./@:+~,=-]/, 'Apache');
  // `${` is replaced by a variable of the configuration, the others are wildcards of <Directory>.
  refuseCharacters(site, 'root', site.root, /\$\{|[*?[\]]/, 'Apache');
  const inside = [
    ...directory(site),
    '',
    ...(options.form === 'sethandler' ? handleScripts(site, socket) : proxyPassMatch(site, socket)),
    ...(options.form === 'sethandler' && site.dispatch === 'direct' ? keepConnections(site, socket) : []),
    '',
    ...identify(site),
  ];
  const modules = [
    '# Modules: proxy proxy_fcgi (a2enmod proxy_fcgi), alias, authz_core, dir.',
    '# Never info: with it any .htaccess shows the whole configuration, keys and all (SetHandler server-info).',
  ].join('\n');
  if (options.bare) {
    return [...heading(site, 'Apache', 'Belongs inside its <VirtualHost>.'), modules, '', ...inside, ''].join(
      '\n',
    );
  }
  const address = options.listen ?? '*:80';
  return [
    ...heading(site, 'Apache', 'A complete virtual host.'),
    modules,
    `# Apache must listen there (Listen ${options.listen ?? 80}); for TLS repeat what is inside for port 443 (guise web apache --bare).`,
    `<VirtualHost ${address}>`,
    ...indent([
      `ServerName ${site.name}`,
      ...(site.aliases.length === 0 ? [] : [`ServerAlias ${site.aliases.join(' ')}`]),
      `DocumentRoot ${quote(site.root)}`,
      '',
      ...inside,
    ]),
    '</VirtualHost>',
    '',
  ].join('\n');
}

function directory(site: Site): string[] {
  return [
    `<Directory ${quote(site.root)}>`,
    ...indent([
      'Require all granted',
      '# Apache itself reads static files for everybody, so a link may only lead to a file of the same owner.',
      'Options SymLinksIfOwnerMatch',
      '# .htaccess may rewrite, protect and more, but not loosen that.',
      'AllowOverride AuthConfig FileInfo Indexes Limit Options=Indexes,MultiViews,SymLinksIfOwnerMatch',
      'DirectoryIndex index.php index.html',
      '# /script.php/more reaches the script with PATH_INFO=/more.',
      'AcceptPathInfo On',
      '# Without this PHP never sees the Authorization header.',
      'CGIPassAuth On',
    ]),
    '</Directory>',
    "# .htaccess, .git and their like are nobody's business.",
    'RedirectMatch 404 "/\\.(?!well-known(?:/|$))"',
  ];
}

/** Hands scripts over by a handler, so that .htaccess has been applied before. */
export function handleScripts(site: Passed, socket: string): string[] {
  return [
    '# Scripts that exist go to guise; for others Apache answers 404 itself.',
    `<FilesMatch "\\.${suffixPattern(site)}$">`,
    ...indent([
      '<If "-f %{REQUEST_FILENAME}">',
      ...indent([`SetHandler "proxy:unix:${socket}|fcgi://guise-${site.name}/"`]),
      '</If>',
    ]),
    '</FilesMatch>',
    '# php-cgi wants plain paths.',
    'ProxyFCGIBackendType GENERIC',
  ];
}

/** On the direct lane an idle connection holds no worker, and none has to be made for each request. */
function keepConnections(site: Site, socket: string): string[] {
  return [
    '# Connections to the workers are kept.',
    `<Proxy "unix:${socket}|fcgi://guise-${site.name}/" enablereuse=on>`,
    '</Proxy>',
  ];
}

function proxyPassMatch(site: Site, socket: string): string[] {
  // The path becomes a URL, and Apache 2.4 does not find its own worker again where it had to be encoded.
  refuseCharacters(site, 'root', site.root, /[^A-Za-z0-9_./@+~,=-]/, 'ProxyPassMatch in Apache');
  return [
    '# Every path with a script in it goes to guise, before any .htaccess or <Directory> is looked at.',
    `ProxyPassMatch "^(/.*\\.${suffixPattern(site)}(?:/.*)?)$" "unix:${socket}|fcgi://guise-${site.name}${site.root}$1"`,
    '# No ProxyFCGIBackendType GENERIC here: the path goes on as it came, with its %20, and the prefix tells guise so.',
    '# What <Directory> says above must be said once more for the path.',
    '<Location "/">',
    '    CGIPassAuth On',
    '</Location>',
  ];
}

/** What says which site a request is for, and how long to wait for it. */
export function identify(site: Passed): string[] {
  const [key] = site.keys;
  return [
    '# Which site this is, and the proof.',
    `ProxyFCGISetEnvIf "true" GUISE_SITE "${site.name}"`,
    ...(key === undefined ? [] : [`ProxyFCGISetEnvIf "true" GUISE_KEY "${key}"`]),
    '# A client could set HTTP_PROXY through a header of that name (httpoxy).',
    'ProxyFCGISetEnvIf "true" !HTTP_PROXY',
    '# guise has limits of its own and answers with a page when they are reached; this one is longer.',
    `ProxyTimeout ${patienceSeconds(site)}`,
  ];
}

/** A word in quotes; Apache takes `\"` and `\\` there. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
