/** What only Apache can get wrong: modules that show every key, .htaccess that reaches other sockets, forms that differ. */

import { existsSync, readdirSync } from 'node:fs';
import { quoteShell } from '../../config/toml-file.js';
import { fpmPools } from '../../import/fpm-file.js';
import type { Place, WebConfig } from '../../web/host.js';
import type { Ailment, Check, Look } from '../check.js';
import { hostLabel, seenHosts } from '../web-view.js';

/** Whether any .htaccess may set handlers: on a shared server some are a stranger's. */
function tenantsSetHandlers({ hosts }: WebConfig): boolean {
  return hosts.some(({ fileInfo }) => fileInfo.length > 0);
}

/** Comments a line out; Debian has a command for it where a module is enabled by a link. */
function disable({ file, line }: Place, module: string): string {
  return file.includes('/mods-enabled/')
    ? `a2dismod --force ${module}   # then: systemctl reload apache2`
    : `sed -i --follow-symlinks '${line}s/^ *LoadModule *${module}_/# &/I' ${quoteShell(file)}   # then reload Apache`;
}

function moduleCheck(module: string, found: string, message: string): Check['examine'] {
  return ({ webs }) =>
    webs.filter(tenantsSetHandlers).flatMap((web) =>
      web.modules
        .filter(({ name }) => name === module)
        .map((place) => ({
          about: `${place.file}:${place.line}`,
          message,
          found,
          expected: `no mod_${module} where .htaccess may set handlers (AllowOverride FileInfo)`,
          remedy: disable(place, module),
        })),
    );
}

export const modInfo: Check = {
  id: 'mod-info',
  severity: 'error',
  title: "Apache's mod_info shows every site's key to every tenant",
  examine: moduleCheck(
    'info',
    'mod_info is loaded, and tenants may write SetHandler server-info',
    'with mod_info any .htaccess shows the whole configuration of Apache, the keys of all sites in it',
  ),
};

export const modStatus: Check = {
  id: 'mod-status',
  severity: 'warning',
  title: "Apache's mod_status shows every visitor of every site to every tenant",
  examine: moduleCheck(
    'status',
    'mod_status is loaded, and tenants may write SetHandler server-status',
    'with mod_status any .htaccess shows who asks for what on all sites, tokens in URLs among it',
  ),
};

export const htaccessOtherSocket: Check = {
  id: 'htaccess-other-socket',
  severity: 'error',
  title: 'an .htaccess can reach FastCGI programs that ask for no key',
  examine: (look) => {
    const others = otherSockets(look);
    const [first] = others;
    if (first === undefined) return [];
    const places = new Map(
      look.webs.flatMap(({ hosts }) =>
        hosts.flatMap(({ fileInfo }) =>
          fileInfo.map((place) => [`${place.file}:${place.line}`, place] as const),
        ),
      ),
    );
    return [...places].map(([about, { file, line }]): Ailment => {
      const text = 'AllowOverride AuthConfig Indexes Limit';
      return {
        about,
        message:
          'an .htaccess may name any socket (SetHandler proxy:unix:…, RewriteRule … [P]) and run scripts of its choice there, as another user',
        found: `FileInfo is allowed, and ${first} asks for no key${others.length > 1 ? `, nor do ${others.length - 1} more` : ''}`,
        expected: 'every PHP behind guise, whose sites ask for a key; or no FileInfo',
        remedy: `sed -i --follow-symlinks '${line}s/AllowOverride.*/${text}/I' ${quoteShell(file)}   # without rewriting; or move the pool: guise import fpm`,
      };
    });
  },
};

/** Sockets that hosts hand scripts to, and those of php-fpm's pools, as far as they are not guise's. */
function otherSockets(look: Look): string[] {
  const seen = seenHosts({ config: look.config, sites: look.registry.sites, webs: look.webs });
  const named = seen.flatMap(({ toOthers }) => toOthers.map(({ target }) => target));
  const pools = look.machine
    .poolDirectories()
    .flatMap((directory) => poolFiles(directory))
    .flatMap((file) => fpmPools(file).pools.map(({ listen }) => listen))
    .filter((listen) => listen !== undefined)
    // A pool of a php-fpm that is not running can be reached by nobody.
    .filter((listen) => !listen.startsWith('/') || existsSync(listen));
  return [...new Set([...named, ...pools])];
}

function poolFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.conf'))
      .map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

export const backendType: Check = {
  id: 'backend-type',
  severity: 'warning',
  title: 'ProxyFCGIBackendType does not fit the way in which Apache hands scripts over',
  examine: (look) =>
    seenHosts({ config: look.config, sites: look.registry.sites, webs: look.webs }).flatMap(
      ({ host, toGuise }): Ailment[] => {
        const { generic } = host;
        if (host.server !== 'apache' || generic === undefined || !toGuise.some(({ how }) => how === 'path'))
          return [];
        return [
          {
            about: `${generic.file}:${generic.line}`,
            message: `with ProxyPassMatch and GENERIC together ${hostLabel(host)} cannot run scripts with blanks or other escaped characters in their names`,
            found: 'ProxyFCGIBackendType GENERIC',
            expected:
              'no ProxyFCGIBackendType beside ProxyPassMatch: the prefix tells guise that the path is escaped',
            remedy: `sed -i --follow-symlinks '${generic.line}s/^ *ProxyFCGIBackendType/# &/I' ${quoteShell(generic.file)}   # then reload Apache`,
          },
        ];
      },
    ),
};
