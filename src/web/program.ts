/**
 * Configuration for sites that are not PHP: every address of the host goes to the program, with the parameters that a
 * FastCGI application expects at the top of a host, SCRIPT_NAME empty and PATH_INFO the whole path (RFC 3875, 4.1).
 *
 * There is no key in it: the program is asked directly, and guise never sees the request.
 */

import type { Config } from '../config/config.js';
import type { Site } from '../site/site.js';
import { indent, patienceSeconds, refuseCharacters, socketOf, type WebOptions } from './snippet.js';

const noCharacters = /[^A-Za-z0-9_./@+~,=-]/;

function heading(site: Site, server: string, where: string): string[] {
  return [
    `# ${site.name} by guise, for ${server}: ${(site.command ?? []).map((word) => JSON.stringify(word)).join(' ')}. ${where}`,
    '# Holds no secret. Whoever may connect to the socket can ask the program what he likes, with any parameters.',
  ];
}

export function apacheProgram(config: Config, site: Site, options: WebOptions): string {
  const socket = socketOf(config, site);
  refuseCharacters(site, 'socket', socket, noCharacters, 'Apache');
  const inside = [
    '# Before any .htaccess or <Directory> is looked at.',
    `ProxyPass "/" "unix:${socket}|fcgi://guise-${site.name}/"`,
    'ProxyFCGISetEnvIf "true" SCRIPT_NAME ""',
    'ProxyFCGISetEnvIf "true" PATH_INFO "%{REQUEST_URI}"',
    '# A path with the prefix proxy:fcgi:// would only confuse it.',
    `ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "${site.root.replaceAll('"', '\\"')}%{REQUEST_URI}"`,
    '# A client could set HTTP_PROXY through a header of that name (httpoxy).',
    'ProxyFCGISetEnvIf "true" !HTTP_PROXY',
    `ProxyTimeout ${patienceSeconds(site)}`,
    '<Location "/">',
    '    Require all granted',
    '    # Without this the program never sees the Authorization header.',
    '    CGIPassAuth On',
    '</Location>',
  ];
  const modules = '# Modules: proxy proxy_fcgi (a2enmod proxy_fcgi), authz_core.';
  if (options.bare)
    return [...heading(site, 'Apache', 'Belongs inside its <VirtualHost>.'), modules, ...inside, ''].join(
      '\n',
    );
  return [
    ...heading(site, 'Apache', 'A complete virtual host.'),
    modules,
    `<VirtualHost ${options.listen ?? '*:80'}>`,
    ...indent([
      `ServerName ${site.name}`,
      ...(site.aliases.length === 0 ? [] : [`ServerAlias ${site.aliases.join(' ')}`]),
      '',
      ...inside,
    ]),
    '</VirtualHost>',
    '',
  ].join('\n');
}

export function nginxProgram(config: Config, site: Site, options: WebOptions): string {
  const socket = socketOf(config, site);
  refuseCharacters(site, 'socket', socket, noCharacters, 'nginx');
  refuseCharacters(site, 'root', site.root, /\$/, 'nginx');
  const root = site.root.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  const inside = [
    `root "${root}";`,
    '# The largest upload; 0 would mean none.',
    `client_max_body_size ${Math.max(site.maxBodyBytes, 1)};`,
    'location / {',
    ...indent([
      ...parameters.map(([name, value]) => `fastcgi_param ${name.padEnd(17)} ${value};`),
      `fastcgi_read_timeout ${patienceSeconds(site)}s;`,
      `fastcgi_send_timeout ${patienceSeconds(site)}s;`,
      `fastcgi_pass unix:${socket};`,
    ]),
    '}',
  ];
  if (options.bare)
    return [...heading(site, 'nginx', 'Belongs inside its server block.'), ...inside, ''].join('\n');
  return [
    ...heading(site, 'nginx', 'A complete server.'),
    'server {',
    ...indent([
      `listen ${options.listen ?? '80'};`,
      `server_name ${[site.name, ...site.aliases].join(' ')};`,
      '',
      ...inside,
    ]),
    '}',
    '',
  ].join('\n');
}

const parameters: readonly (readonly [string, string])[] = [
  ['SCRIPT_NAME', '""'],
  ['PATH_INFO', '$fastcgi_script_name'],
  ['SCRIPT_FILENAME', '$document_root$fastcgi_script_name'],
  ['DOCUMENT_ROOT', '$document_root'],
  ['REQUEST_URI', '$request_uri'],
  ['REQUEST_METHOD', '$request_method'],
  ['REQUEST_SCHEME', '$scheme'],
  ['HTTPS', '$https if_not_empty'],
  ['QUERY_STRING', '$query_string'],
  ['CONTENT_TYPE', '$content_type'],
  ['CONTENT_LENGTH', '$content_length'],
  ['SERVER_PROTOCOL', '$server_protocol'],
  ['SERVER_SOFTWARE', 'nginx/$nginx_version'],
  ['SERVER_NAME', '$host'],
  ['SERVER_ADDR', '$server_addr'],
  ['SERVER_PORT', '$server_port'],
  ['REMOTE_ADDR', '$remote_addr'],
  ['REMOTE_PORT', '$remote_port'],
  ['REMOTE_USER', '$remote_user'],
  ['GATEWAY_INTERFACE', 'CGI/1.1'],
  ['HTTP_PROXY', '"" if_not_empty'],
];

export function lighttpdProgram(config: Config, site: Site, options: WebOptions): string {
  const socket = socketOf(config, site);
  refuseCharacters(site, 'socket', socket, noCharacters, 'lighttpd');
  const inside = [
    `server.document-root = "${site.root.replaceAll('"', '\\"')}"`,
    `server.max-write-idle = ${patienceSeconds(site)}`,
    'fastcgi.server = (',
    `    "/" => ( "guise-${site.name}" => (`,
    `        "socket" => "${socket}",`,
    '        "check-local" => "disable",',
    '        # SCRIPT_NAME is empty, and PATH_INFO the whole path.',
    '        "fix-root-scriptname" => "enable",',
    '        "disable-time" => 0',
    '    ) )',
    ')',
  ];
  const modules = '# Modules: server.modules += ( "mod_fastcgi" ), once for all sites.';
  if (options.bare)
    return [
      ...heading(site, 'lighttpd', 'Belongs inside its $HTTP["host"] section.'),
      modules,
      ...inside,
      '',
    ].join('\n');
  const names = [site.name, ...site.aliases].map((name) => name.replaceAll('.', '\\.')).join('|');
  const host = [`$HTTP["host"] =~ "^(${names})(:[0-9]+)?$" {`, ...indent(inside), '}'];
  const section =
    options.listen === undefined
      ? host
      : [`$SERVER["socket"] == "${options.listen}" {`, ...indent(host), '}'];
  return [...heading(site, 'lighttpd', 'A complete section.'), modules, ...section, ''].join('\n');
}
