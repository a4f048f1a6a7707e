/** The lines that show the status application, once for a web server, and at first to this machine only. */

import type { Config } from '../config/config.js';
import { statusSocketPath } from '../site/site.js';
import { statusKey } from '../site/status-key.js';
import { indent } from './snippet.js';

function heading(server: string, where: string): string[] {
  return [
    `# guise's status, for ${server}. ${where}`,
    '# It shows the names of all sites and how busy they are: open it to the addresses of your monitoring only. It holds',
    '# the key of the status: keep the file unreadable for others (mode 0640).',
    '# Scripts of tenants on this machine also come from it; where that matters, ask for a password besides.',
  ];
}

export function apacheStatus(config: Config): string {
  const socket = statusSocketPath(config.paths.run);
  const key = statusKey(config.paths.state);
  const location = (path: string): string[] => [
    `<Location "${path}">`,
    `    SetHandler "proxy:unix:${socket}|fcgi://guise-status/"`,
    `    ProxyFCGISetEnvIf "true" GUISE_STATUS_KEY "${key}"`,
    '    Require local',
    '    # No .htaccess sends this address elsewhere, and the key with it.',
    '    <IfModule mod_rewrite.c>',
    '        RewriteEngine Off',
    '    </IfModule>',
    '</Location>',
  ];
  return [
    ...heading('Apache', 'Belongs inside a <VirtualHost>, or outside of all of them for every host.'),
    '# Modules: proxy proxy_fcgi (a2enmod proxy_fcgi), authz_core, authz_host.',
    ...location(config.status.path),
    ...location(config.status.pingPath),
    '',
  ].join('\n');
}

export function nginxStatus(config: Config): string {
  const socket = statusSocketPath(config.paths.run);
  const key = statusKey(config.paths.state);
  const inside = [
    'allow 127.0.0.1;',
    'allow ::1;',
    'deny all;',
    'fastcgi_param REQUEST_METHOD  $request_method;',
    'fastcgi_param REQUEST_URI     $request_uri;',
    'fastcgi_param QUERY_STRING    $query_string;',
    'fastcgi_param SERVER_PROTOCOL $server_protocol;',
    'fastcgi_param REMOTE_ADDR     $remote_addr;',
    `fastcgi_param GUISE_STATUS_KEY "${key}";`,
    `fastcgi_pass unix:${socket};`,
  ];
  const location = (match: string): string[] => [`location ${match} {`, ...indent(inside), '}'];
  return [
    ...heading('nginx', 'Belongs inside a server block.'),
    ...location(`= ${config.status.path}`),
    ...location(`^~ ${config.status.path}/`),
    ...location(`= ${config.status.pingPath}`),
    '',
  ].join('\n');
}

export function lighttpdStatus(config: Config): string {
  const socket = statusSocketPath(config.paths.run);
  const key = statusKey(config.paths.state);
  const application = (path: string): string[] => [
    `    "${path}" => ( "guise-status" => ( "socket" => "${socket}", "check-local" => "disable" ) ),`,
  ];
  return [
    ...heading(
      'lighttpd',
      'Belongs into the configuration of the whole server, or inside a $HTTP["host"] section.',
    ),
    '# Modules: server.modules += ( "mod_access", "mod_fastcgi", "mod_setenv" ).',
    '$HTTP["remoteip"] !~ "^(127\\.0\\.0\\.1|::1)$" {',
    `    $HTTP["url"] =~ "^(${config.status.path}(/|$)|${config.status.pingPath}$)" { url.access-deny = ( "" ) }`,
    '}',
    `$HTTP["url"] =~ "^(${config.status.path}(/|$)|${config.status.pingPath}$)" {`,
    `    setenv.add-environment += ( "GUISE_STATUS_KEY" => "${key}" )`,
    '}',
    'fastcgi.server += (',
    ...application(config.status.path),
    ...application(config.status.pingPath),
    ')',
    '',
  ].join('\n');
}
