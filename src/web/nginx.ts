/**
 * Configuration for nginx. Every parameter is printed, so that nothing depends on which fastcgi_params a
 * distribution ships (Debian's has no SCRIPT_FILENAME).
 *
 * Source: ngx_http_fastcgi_module; for the variable that rescues PATH_INFO: try_files sets $fastcgi_path_info anew.
 */

import type { Config } from '../config/config.js';
import type { Site } from '../site/site.js';
import { nginxProgram } from './program.js';
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

export function nginxConfiguration(config: Config, site: Site, options: WebOptions): string {
  if (site.command !== undefined) return nginxProgram(config, site, options);
  const socket = socketOf(config, site);
  // A colon would end the path.
  refuseCharacters(site, 'socket', socket, /[^A-Za-z0-9_./@+~,=-]/, 'nginx');
  // There is no way to write a dollar sign that is not the beginning of a variable.
  refuseCharacters(site, 'root', site.root, /\$/, 'nginx');
  if (options.bare) {
    const inside = [...documents(site), '', ...passScripts(site, [`fastcgi_pass unix:${socket};`])];
    return [...heading(site, 'nginx', 'Belongs inside its server block.'), ...inside, ''].join('\n');
  }
  const kept = site.dispatch === 'direct' ? keptConnections(site, socket) : undefined;
  const pass = kept?.pass ?? [`fastcgi_pass unix:${socket};`];
  const inside = [...documents(site), '', ...passScripts(site, pass)];
  return [
    ...heading(site, 'nginx', 'A complete server.'),
    ...(kept?.upstream ?? []),
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

function documents(site: Site): string[] {
  return [
    `root ${quote(site.root)};`,
    'index index.php index.html;',
    '# The largest upload; guise has the same limit (max_body). 0 would mean none.',
    `client_max_body_size ${Math.max(site.maxBodyBytes, 1)};`,
    '# nginx itself reads static files for everybody, so a link may only lead to a file of the same owner.',
    'disable_symlinks if_not_owner from=$document_root;',
    '',
    'location / {',
    '    # For an application with a front controller: try_files $uri $uri/ /index.php?$args;',
    '    try_files $uri $uri/ =404;',
    '}',
    "# .htaccess, .git and their like are nobody's business.",
    'location ~ /\\.(?!well-known(/|$)) {',
    '    return 404;',
    '}',
  ];
}

/** On the direct lane an idle connection holds no worker, and none has to be made for each request. */
function keptConnections(site: Site, socket: string) {
  const name = `guise-${site.name}`;
  return {
    upstream: [
      '# Connections to the workers are kept, as many for each process of nginx.',
      `upstream ${name} {`,
      ...indent([`server unix:${socket};`, `keepalive ${site.maxWorkers};`]),
      '}',
      '',
    ],
    pass: ['fastcgi_keep_conn on;', `fastcgi_pass ${name};`],
  };
}

/** The location that passes scripts on. */
export function passScripts(site: Passed, pass: readonly string[]): string[] {
  const pattern = suffixPattern(site);
  return [
    `location ~ "[^/]\\.${pattern}(/|$)" {`,
    ...indent([
      `fastcgi_split_path_info "^(.+?\\.${pattern})(/.*)$";`,
      '# try_files forgets the path info, so it is kept here.',
      'set $guise_path_info $fastcgi_path_info;',
      'try_files $fastcgi_script_name =404;',
      '',
      ...parameters(site),
      '',
      '# guise has limits of its own and answers with a page when they are reached; these are longer.',
      `fastcgi_read_timeout ${patienceSeconds(site)}s;`,
      `fastcgi_send_timeout ${patienceSeconds(site)}s;`,
      ...pass,
    ]),
    '}',
  ];
}

function parameters(site: Passed): string[] {
  const [key] = site.keys;
  return [
    '# Which site this is, and the proof.',
    parameter('GUISE_SITE', `"${site.name}"`),
    ...(key === undefined ? [] : [parameter('GUISE_KEY', `"${key}"`)]),
    ...plainParameters.map(([name, value]) => parameter(name, value)),
    '# An empty parameter of this name keeps out a header of that name (httpoxy).',
    parameter('HTTP_PROXY', '"" if_not_empty'),
  ];
}

function parameter(name: string, value: string): string {
  return `fastcgi_param ${name.padEnd(17)} ${value};`;
}

const plainParameters: readonly (readonly [string, string])[] = [
  ['SCRIPT_FILENAME', '$document_root$fastcgi_script_name'],
  ['SCRIPT_NAME', '$fastcgi_script_name'],
  ['PATH_INFO', '$guise_path_info'],
  ['DOCUMENT_ROOT', '$document_root'],
  ['DOCUMENT_URI', '$document_uri'],
  ['REQUEST_URI', '$request_uri'],
  ['REQUEST_METHOD', '$request_method'],
  ['REQUEST_SCHEME', '$scheme'],
  ['HTTPS', '$https if_not_empty'],
  ['QUERY_STRING', '$query_string'],
  ['CONTENT_TYPE', '$content_type'],
  ['CONTENT_LENGTH', '$content_length'],
  ['SERVER_PROTOCOL', '$server_protocol'],
  ['SERVER_SOFTWARE', 'nginx/$nginx_version'],
  ['SERVER_NAME', '$server_name'],
  ['SERVER_ADDR', '$server_addr'],
  ['SERVER_PORT', '$server_port'],
  ['REMOTE_ADDR', '$remote_addr'],
  ['REMOTE_PORT', '$remote_port'],
  ['REMOTE_USER', '$remote_user if_not_empty'],
  ['GATEWAY_INTERFACE', 'CGI/1.1'],
  ['REDIRECT_STATUS', '200'],
];

/** A word in quotes; nginx takes `\"` and `\\` there. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
