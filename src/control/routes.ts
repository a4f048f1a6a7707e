/** The table of what can be asked on the control socket and by whom, and the answer to each. */

import type { z } from 'zod';
import { GuiseError } from '../error.js';
import type { Site } from '../site/site.js';
import { addSite, changeSite, removeSite, switchedOff, switchedOn } from '../site/write.js';
import { type Answer, refusal } from './answers.js';
import {
  addSiteBody,
  changeSiteBody,
  type MasterApi,
  type SiteReport,
  type SitesReport,
  type StatusReport,
  viewSite,
} from './api.js';
import { Mine, ownSite, ownSites, ownStatus } from './own-view.js';
import type { Caller } from './roles.js';

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
  /** The status application may ask it. */
  readonly status?: true;
  /**
   * The user of a site may ask it, and this is what he sees of the answer. Where the path names a site, it has been
   * found to be his before the master is asked anything.
   */
  readonly owner?: (body: unknown, mine: Mine) => unknown;
}

/**
 * `*` stands for one part of the path, the name of a site. Administrators may ask everything; what others may is said
 * here and nowhere else, and whatever is not said they may not.
 */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/ping', status: true, owner: whole, handle: ({ api }) => ok(api.ping()) },
  {
    method: 'GET',
    path: '/status',
    status: true,
    owner: (body, mine) => ownStatus(body as StatusReport, mine),
    handle: async ({ api }) => ok(await api.status()),
  },
  { method: 'GET', path: '/metrics', status: true, handle: metrics },
  { method: 'POST', path: '/reload', handle: async ({ api }) => ok(await api.reload()) },
  { method: 'POST', path: '/reopen', handle: reopen },
  { method: 'POST', path: '/stop', handle: stop },
  {
    method: 'GET',
    path: '/sites',
    owner: (body, mine) => ownSites(body as SitesReport, mine),
    handle: listSites,
  },
  { method: 'POST', path: '/sites', handle: postSite },
  {
    method: 'GET',
    path: '/sites/*',
    owner: (body) => ownSite(body as SiteReport),
    handle: showSite,
  },
  { method: 'PATCH', path: '/sites/*', handle: patchSite },
  { method: 'POST', path: '/sites/*/disable', handle: disableSite },
  { method: 'POST', path: '/sites/*/enable', handle: enableSite },
  {
    method: 'POST',
    path: '/sites/*/restart',
    owner: (body) => ownSite(body as SiteReport),
    handle: restartSite,
  },
  { method: 'DELETE', path: '/sites/*', handle: deleteSite },
];

/** Nothing of it tells of other sites. */
function whole(body: unknown): unknown {
  return body;
}

/** Throws GuiseError; what is not in the table is a value: 404 or 405. */
export async function answer(
  api: MasterApi,
  caller: Caller,
  { method, path }: { readonly method: string; readonly path: string },
  body: unknown,
): Promise<Answer> {
  const matches = routes.flatMap((route) => {
    const name = match(route.path, path);
    return name === undefined ? [] : [{ route, name }];
  });
  if (matches.length === 0) {
    const paths = [...new Set(routes.map((route) => route.path))].join(', ');
    return refusal(404, 'BAD_REQUEST', `there is nothing at ${path}`, `what there is: ${paths}`);
  }
  const found = matches.find(({ route }) => route.method === method);
  if (found !== undefined) return permitted(caller, found.route, { api, name: found.name, body });
  const allow = matches.map(({ route }) => route.method).join(', ');
  return { ...refusal(405, 'BAD_REQUEST', `${path} cannot be asked with ${method}`, `use ${allow}`), allow };
}

async function permitted(caller: Caller, route: Route, call: Call): Promise<Answer> {
  const { method, path, owner } = route;
  if (caller.role === 'admin' || (caller.role === 'status' && route.status)) return route.handle(call);
  if (caller.role !== 'owner' || owner === undefined) {
    const who = caller.role === 'owner' ? 'the user of a site' : 'the status application';
    throw new GuiseError('NOT_PERMITTED', `${method} ${path} is not for ${who}`, { remedy: askAdmin });
  }
  const mine = new Mine(caller.uid, call.api);
  // A site that is not his is to him as one that is not there.
  if (path.includes('*') && !mine.has(call.name)) throw unknownSite(call.name);
  const reply = await route.handle(call);
  return { ...reply, body: owner(reply.body, mine) };
}

const askAdmin = 'ask an administrator: root, or a member of the group under [control]';

/** The part that `*` stands for, '' where the pattern has none; undefined: no match. */
function match(pattern: string, path: string): string | undefined {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return pattern === path ? '' : undefined;
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined;
  const part = path.slice(before.length, path.length - after.length);
  if (part === '' || part.includes('/')) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function reopen({ api }: Call): Answer {
  api.reopen();
  return ok({});
}

/** What makes the text is loaded when somebody first asks. */
async function metrics({ api }: Call): Promise<Answer> {
  const { metricsContentType, metricsText } = await import('../metrics/exposition.js');
  const body = await metricsText(await api.status(), 'openmetrics');
  return { status: 200, body, contentType: metricsContentType('openmetrics') };
}

async function stop({ api }: Call): Promise<Answer> {
  await api.stop();
  return { status: 202, body: api.ping() };
}

function listSites({ api }: Call): Answer {
  const { sites, parked, kept } = api.registry();
  const wrong = { parked, ...(kept.length === 0 ? {} : { kept }) };
  return ok({ sites: sites.map(viewSite), ...wrong } satisfies SitesReport);
}

function showSite({ api, name }: Call): Answer {
  const { parked, kept } = api.registry();
  const site = api.registry().named(name);
  const wrong = kept.find(({ file }) => file === site?.file);
  if (site !== undefined)
    return ok({ site: viewSite(site), ...(wrong === undefined ? {} : { kept: wrong }) } satisfies SiteReport);
  const waiting = parked.find((one) => one.name === name);
  if (waiting !== undefined) return ok({ parked: waiting } satisfies SiteReport);
  throw unknownSite(name);
}

function unknownSite(name: string): GuiseError {
  return new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(name)}`);
}

async function postSite({ api, body }: Call): Promise<Answer> {
  const site = addSite(api.config(), parse(addSiteBody, body), api.registry());
  await api.applySite(site.name);
  return { status: 201, body: { site: viewSite(site) } satisfies SiteReport };
}

async function patchSite({ api, name, body }: Call): Promise<Answer> {
  const site = changeSite(api.config(), name, parse(changeSiteBody, body), api.registry());
  await api.applySite(name);
  return ok({ site: viewSite(site) } satisfies SiteReport);
}

async function deleteSite({ api, name }: Call): Promise<Answer> {
  const file = removeSite(api.config(), name, api.registry());
  await api.applySite(name);
  return ok({ name, file });
}

/** Switches it on in its file, where that says otherwise, and lifts a quarantine. */
async function enableSite({ api, name }: Call): Promise<Answer> {
  const present = siteCalled(api, name);
  if (present?.enabled === false) {
    changeSite(api.config(), present.name, switchedOn, api.registry());
    await api.applySite(present.name);
  } else await api.liftQuarantine(present?.name ?? name);
  return shown(api, present?.name ?? name);
}

async function disableSite({ api, name }: Call): Promise<Answer> {
  const present = siteCalled(api, name);
  changeSite(api.config(), present?.name ?? name, switchedOff, api.registry());
  await api.applySite(present?.name ?? name);
  return shown(api, present?.name ?? name);
}

async function restartSite({ api, name }: Call): Promise<Answer> {
  const present = siteCalled(api, name);
  await api.restartSite(present?.name ?? name);
  return shown(api, present?.name ?? name);
}

/** By its name or an alias. */
function siteCalled(api: MasterApi, name: string): Site | undefined {
  return api.registry().named(name);
}

/** An automatic site has no file, and so nothing to show. */
function shown(api: MasterApi, name: string): Answer {
  const site = siteCalled(api, name);
  return ok((site === undefined ? {} : { site: viewSite(site) }) satisfies SiteReport);
}

function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const checked = schema.safeParse(body);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new GuiseError('BAD_REQUEST', `the body is not what belongs here: ${issue?.message ?? ''}`, {
    remedy: 'see docs/reference/control-api.md',
  });
}
