/** The ways in which people connect Apache to FastCGI: each is a configuration that guise must understand. */

import type { Guise, Site } from './guise.js';

export interface Form {
  readonly name: string;
  /** Modules it needs beside the basic ones. */
  readonly modules: readonly string[];
  /** Lines inside the virtual host. */
  inside(site: Site, socket: string): string;
  /** Whether a path behind the script arrives as PATH_INFO. */
  readonly pathInfo: boolean;
}

const handler = (site: Site, socket: string): string => `<FilesMatch "\\.php$">
  SetHandler "proxy:unix:${socket}|fcgi://${site.name}/"
</FilesMatch>`;

export const forms: readonly Form[] = [
  { name: 'handler', modules: [], pathInfo: true, inside: handler },
  {
    name: 'handler-generic',
    modules: [],
    pathInfo: true,
    inside: (site, socket) => `ProxyFCGIBackendType GENERIC\n${handler(site, socket)}`,
  },
  {
    name: 'handler-reuse',
    modules: [],
    pathInfo: true,
    inside: (site, socket) => `${handler(site, socket)}
<Proxy "unix:${socket}|fcgi://${site.name}/" enablereuse=on max=20>
</Proxy>`,
  },
  {
    name: 'pass-match',
    modules: [],
    pathInfo: true,
    inside: (site, socket) =>
      `ProxyPassMatch "^/(.*\\.php(/.*)?)$" "unix:${socket}|fcgi://${site.name}${site.root}/"`,
  },
  {
    name: 'pass-match-generic',
    modules: [],
    pathInfo: true,
    inside: (site, socket) => `ProxyFCGIBackendType GENERIC
ProxyPassMatch "^/(.*\\.php(/.*)?)$" "unix:${socket}|fcgi://${site.name}${site.root}/" enablereuse=on`,
  },
  {
    name: 'balancer',
    modules: ['proxy_balancer', 'slotmem_shm', 'lbmethod_byrequests'],
    pathInfo: true,
    inside: (site, socket) => `<Proxy "balancer://${site.name}">
  BalancerMember "unix:${socket}|fcgi://${site.name}/"
</Proxy>
<FilesMatch "\\.php$">
  SetHandler "proxy:balancer://${site.name}"
</FilesMatch>`,
  },
];

export function formNamed(name: string): Form {
  const form = forms.find((one) => one.name === name);
  if (form === undefined) throw new Error(`there is no form ${name}`);
  return form;
}

/** The form for a site, with the site's key where it has one. */
export async function inForm(form: Form, guise: Guise, site: Site, socket = guise.socket): Promise<string> {
  const key = guise.keyOf(site.name);
  return `${key === undefined ? '' : `SetEnv GUISE_KEY ${key}\n`}${form.inside(site, socket)}`;
}
