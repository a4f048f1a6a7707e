/** The lines for all automatic sites at once, once for the whole web server. */

import type { Config } from '../config/config.js';
import { GuiseError } from '../error.js';
import { layer } from '../site/defaults.js';
import { handleScripts, identify } from './apache.js';
import { passScripts } from './nginx.js';
import { type Passed, sharedSocketPath } from './snippet.js';

export function automaticApache(config: Config): string {
  const passed = automatic(config);
  const socket = sharedSocketPath(config.paths.run);
  return [
    ...heading(
      config,
      'Apache',
      'Belongs into the configuration of the whole server, outside every <VirtualHost>.',
    ),
    '# Modules: proxy proxy_fcgi (a2enmod proxy_fcgi), and vhost_alias or userdir for the hosts themselves.',
    ...handleScripts(passed, socket),
    ...identify(passed),
    '',
  ].join('\n');
}

export function automaticNginx(config: Config): string {
  const passed = automatic(config);
  return [
    ...heading(
      config,
      'nginx',
      'Belongs into the server block of all such hosts, beside a root with $host in it.',
    ),
    ...passScripts(passed, [`fastcgi_pass unix:${sharedSocketPath(config.paths.run)};`]),
    '',
  ].join('\n');
}

/** @throws GuiseError CONFIG_INVALID where guise.toml has no [auto] */
function automatic(config: Config): Passed {
  if (config.auto === undefined) {
    throw new GuiseError('CONFIG_INVALID', 'there are no automatic sites', {
      file: config.file,
      remedy: `printf '[auto]\\nroots = ["/home/*/public_html"]\\nkey = "%s"\\n' "$(openssl rand -hex 32)" >> ${config.file}`,
    });
  }
  const shared = layer({ name: 'auto', root: '/', user: '' }, config.defaults);
  return {
    name: 'auto',
    keys: [config.auto.key],
    suffixes: shared.suffixes,
    timeLimitMs: shared.time_limit,
    queueTimeoutMs: shared.queue_timeout,
  };
}

function heading(config: Config, server: string, where: string): string[] {
  return [
    `# Automatic sites of guise, for ${server}. ${where}`,
    `# Scripts beneath ${(config.auto?.roots ?? []).join(', ')} run as the owner of the directory.`,
    "# Holds the key of all of them: keep this file root's, mode 0640.",
  ];
}
