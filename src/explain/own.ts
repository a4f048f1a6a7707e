/**
 * The same question asked by the user of a site, who is not root: what he may know of his sites the daemon tells him,
 * and the script is looked at as himself, which is whom it would run as. What only root can see is left out: the files
 * of sites, keys, and what Landlock would add.
 */

import type { Config } from '../config/config.js';
import type { Finding } from '../config/problem.js';
import type { SiteReport, SitesReport, SiteView, StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { GuiseError } from '../error.js';
import { userByName, userByUid } from '../os/identity.js';
import type { Explanation, Question } from './checks.js';
import type { RefusalRecord } from './refusal-record.js';
import { checkScript } from './script-check.js';
import { checkedSteps } from './script-steps.js';
import { failed, findingOf, passed, refusalOfState, type Step } from './step.js';
import { addressOf, fileOf } from './target.js';

/** @throws GuiseError NOT_PERMITTED, NOT_RUNNING, SITE_UNKNOWN, USAGE */
export async function explainOwn(config: Config, question: Question): Promise<Explanation> {
  const { sites } = await ask<SitesReport>(config, { method: 'GET', path: '/sites' });
  const own = sites.filter(({ uid }) => uid === process.geteuid?.());
  const { site, script } = find(own, question);
  const user = userByUid(site.uid);
  if (user === undefined) throw new GuiseError('NOT_PERMITTED', `uid ${site.uid} is no user of this system`);
  const trustedUids = site.trustedOwners.map((name) => userByName(name)?.uid ?? -1).filter((uid) => uid >= 0);
  const checked = { name: site.name, root: site.root, suffixes: site.suffixes, trustedUids, user };
  const steps = [
    passed('site', `${site.name}, yours`),
    await daemonStep(config, site),
    ...checkedSteps(checked, script, await checkScript(checked, script, undefined)),
  ];
  const first = steps.find(({ ok }) => !ok);
  const reason = first?.reason === undefined ? {} : { reason: first.reason };
  return { ok: first === undefined, steps, ...reason, site: site.name, user: user.name, script };
}

function find(own: readonly SiteView[], { what, site: name }: Question): { site: SiteView; script: string } {
  const { url, file } = addressOf(what);
  const wanted = name ?? url?.host;
  const site =
    wanted === undefined
      ? own.find(({ root, realRoot }) => [root, realRoot].some((path) => file.startsWith(`${path}/`)))
      : own.find((one) => one.name === wanted || one.aliases.includes(wanted));
  if (site === undefined) {
    const sites = own.map((one) => one.name).join(', ');
    throw new GuiseError('SITE_UNKNOWN', `${what} is not of a site of yours`, { remedy: `yours: ${sites}` });
  }
  return { site, script: url === undefined ? file : fileOf(site.root, url.path) };
}

async function daemonStep(config: Config, { name }: SiteView): Promise<Step> {
  const report = await ask<StatusReport>(config, { method: 'GET', path: '/status' });
  const running = `guise ${report.version}, pid ${report.pid}`;
  const status = report.sites.find((site) => site.name === name);
  const reason = status === undefined ? undefined : refusalOfState[status.state];
  if (status === undefined || reason === undefined) return passed('daemon', running);
  const finding = findingOf(reason, undefined, { SITE: name });
  return failed('daemon', running, { ...finding, found: status.reason ?? status.state }, reason);
}

/** What mends a refusal of the past, as far as the user of the site may know. */
export async function ownFinding(config: Config, record: RefusalRecord): Promise<Finding> {
  const { site: name, script, reason, found } = record;
  const path = `/sites/${encodeURIComponent(name ?? '')}`;
  const known = await ask<SiteReport>(config, { method: 'GET', path }).catch(() => undefined);
  const { site } = known !== undefined && 'site' in known ? known : { site: undefined };
  return findingOf(reason, found, {
    ...(script === undefined ? {} : { FILE: script }),
    ...(name === undefined ? {} : { SITE: name }),
    ...(site === undefined ? {} : { ROOT: site.root, USER: site.user }),
  });
}
