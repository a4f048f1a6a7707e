/** Where a site's page is asked for: the address that its virtual host listens on, or what somebody says. */

import type { SeenHost } from '../doctor/web-view.js';
import { GuiseError } from '../error.js';
import type { Site } from '../site/site.js';
import type { Listening } from '../web/host.js';

export interface ProbeTarget {
  /** Scheme, address and port, without a path. */
  readonly origin: URL;
  /** How it was found. */
  readonly how: string;
  /** The virtual host, where one was found. */
  readonly seen?: SeenHost;
}

/**
 * @param url what was asked for: `http://127.0.0.1:8080`, or the site's own URL
 * @throws GuiseError USAGE for what is no URL
 */
export function probeTarget(site: Site, hosts: readonly SeenHost[], url: string | undefined): ProbeTarget {
  const own = hosts.filter((seen) => seen.site === site);
  const seen =
    own.find(({ toGuise }) => toGuise.length > 0) ??
    own.find(({ toOthers }) => toOthers.length > 0) ??
    own[0];
  const more = seen === undefined ? {} : { seen };
  if (url !== undefined) return { origin: parse(url), how: 'as asked for', ...more };
  const listens = seen?.host.listens.find(({ secure }) => !secure) ?? seen?.host.listens[0];
  if (seen === undefined || listens === undefined) {
    return {
      origin: new URL('http://127.0.0.1/'),
      how: 'port 80 of this machine, as no host of the site was found',
    };
  }
  return { origin: originOf(listens), how: `${seen.host.file}:${seen.host.line}`, seen };
}

function originOf({ host, port, secure }: Listening): URL {
  const anywhere = ['*', '0.0.0.0', '[::]', '_default_', ''];
  return new URL(`${secure ? 'https' : 'http'}://${anywhere.includes(host) ? '127.0.0.1' : host}:${port}/`);
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return new URL(url.origin);
  throw new GuiseError('USAGE', `${JSON.stringify(text)} is no URL`, {
    remedy: '--url http://127.0.0.1:8080',
  });
}
