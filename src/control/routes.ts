/** The table of what can be asked on the control socket, and the answer to each. */

import type { z } from 'zod';
import { GuiseError } from '../error.js';
import { addSite, changeSite, removeSite } from '../site/write.js';
import { addSiteBody, changeSiteBody, type MasterApi, type SiteReport, viewSite } from './api.js';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly allow?: string;
}

interface Call {
  readonly api: MasterApi;
  /** The last part of the path, where the route has one. */
  readonly name: string;
  readonly body: unknown;
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

/** `*` stands for one part of the path. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/ping', handle: ({ api }) => ok(api.ping()) },
  { method: 'GET', path: '/status', handle: async ({ api }) => ok(await api.status()) },
  { method: 'POST', path: '/reload', handle: async ({ api }) => ok(await api.reload()) },
  { method: 'POST', path: '/stop', handle: stop },
  { method: 'GET', path: '/sites', handle: listSites },
  { method: 'POST', path: '/sites', handle: postSite },
  { method: 'GET', path: '/sites/*', handle: showSite },
  { method: 'PATCH', path: '/sites/*', handle: patchSite },
  { method: 'DELETE', path: '/sites/*', handle: deleteSite },
];

/** Throws GuiseError; what is not in the table is a value: 404 or 405. */
export async function answer(api: MasterApi, method: string, path: string, body: unknown): Promise<Answer> {
  const matches = routes.flatMap((route) => {
    const name = match(route.path, path);
    return name === undefined ? [] : [{ route, name }];
  });
  if (matches.length === 0) {
    const paths = [...new Set(routes.map((route) => route.path))].join(', ');
    return refusal(404, 'BAD_REQUEST', `there is nothing at ${path}`, `what there is: ${paths}`);
  }
  const found = matches.find(({ route }) => route.method === method);
  if (found !== undefined) return found.route.handle({ api, name: found.name, body });
  const allow = matches.map(({ route }) => route.method).join(', ');
  return { ...refusal(405, 'BAD_REQUEST', `${path} cannot be asked with ${method}`, `use ${allow}`), allow };
}

/** The part that `*` stands for, '' where the pattern has none; undefined: no match. */
function match(pattern: string, path: string): string | undefined {
  if (!pattern.endsWith('/*')) return pattern === path ? '' : undefined;
  const prefix = pattern.slice(0, -1);
  const rest = path.slice(prefix.length);
  if (!path.startsWith(prefix) || rest === '' || rest.includes('/')) return undefined;
  try {
    return decodeURIComponent(rest);
  } catch {
    return undefined;
  }
}

export function refusal(status: number, code: string, message: string, remedy?: string): Answer {
  return { status, body: { error: { code, message, ...(remedy === undefined ? {} : { remedy }) } } };
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

async function stop({ api }: Call): Promise<Answer> {
  await api.stop();
  return { status: 202, body: api.ping() };
}

function listSites({ api }: Call): Answer {
  const { sites, parked } = api.registry();
  return ok({ sites: sites.map(viewSite), parked });
}

function showSite({ api, name }: Call): Answer {
  const { sites, parked } = api.registry();
  const site = sites.find((one) => one.name === name || one.aliases.includes(name));
  if (site !== undefined) return ok({ site: viewSite(site) } satisfies SiteReport);
  const waiting = parked.find((one) => one.name === name);
  if (waiting !== undefined) return ok({ parked: waiting } satisfies SiteReport);
  throw new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(name)}`);
}

async function postSite({ api, body }: Call): Promise<Answer> {
  const site = addSite(api.config(), parse(addSiteBody, body));
  await api.applySite(site.name);
  return { status: 201, body: { site: viewSite(site) } satisfies SiteReport };
}

async function patchSite({ api, name, body }: Call): Promise<Answer> {
  const site = changeSite(api.config(), name, parse(changeSiteBody, body));
  await api.applySite(name);
  return ok({ site: viewSite(site) } satisfies SiteReport);
}

async function deleteSite({ api, name }: Call): Promise<Answer> {
  const file = removeSite(api.config(), name);
  await api.applySite(name);
  return ok({ name, file });
}

function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const checked = schema.safeParse(body);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new GuiseError('BAD_REQUEST', `the body is not what belongs here: ${issue?.message ?? ''}`, {
    remedy: 'see docs/reference/control-api.md',
  });
}
