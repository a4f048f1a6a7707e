/**
 * Everything that a request for a script would meet, looked at in the order in which it would: the configuration,
 * the site, the daemon and its socket, the key, the user, and then the script itself. Changes nothing. A step that
 * needs an earlier one which failed is left out; all others are made, so that one run shows as much as there is.
 */

import { existsSync } from 'node:fs';
import type { Config, ConfigReading } from '../config/config.js';
import { checkSocketFile, programAccess } from '../config/socket-file.js';
import type { StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { GuiseError } from '../error.js';
import { automaticSite } from '../master/auto-sites.js';
import { userByName } from '../os/identity.js';
import type { RefusalReason } from '../router/refusals.js';
import { readSites } from '../site/registry.js';
import { type Site, siteSocketPath, sitesOfVisitors } from '../site/site.js';
import { scriptSteps } from './script-steps.js';
import { failed, findingOf, passed, refusalOfState, type Step } from './step.js';
import { findTarget, type Target } from './target.js';

export interface Question {
  /** A URL or a file. */
  readonly what: string;
  /** The site, where it is not to be found out. */
  readonly site?: string;
  /** REMOTE_USER, for sites that map visitors. */
  readonly visitor?: string;
}

export interface Explanation {
  readonly ok: boolean;
  readonly site?: string;
  readonly user?: string;
  /** SCRIPT_FILENAME as the web server would send it. */
  readonly script?: string;
  readonly steps: readonly Step[];
  /** The refusal that the request would end with. */
  readonly reason?: RefusalReason;
}

/** @throws GuiseError USAGE or SITE_UNKNOWN for a question that makes no sense; what is wrong is in the steps */
export async function explain(
  reading: ConfigReading,
  file: string,
  question: Question,
): Promise<Explanation> {
  const { config, problems } = reading;
  if (problems.length > 0 || config === undefined) {
    return explanation([{ step: 'configuration', ok: false, about: file, findings: problems }]);
  }
  const start = existsSync(file)
    ? passed('configuration', file)
    : passed('configuration', `no ${file}: all defaults`);
  const target = findTarget(config, readSites(config), question.what, question.site);
  const found = siteOf(config, target);
  if (!('site' in found)) return explanation([start, found.failure]);
  const { site: whole, script, about } = found;
  const site = forVisitor(whole, question.visitor);
  const steps = [
    start,
    passed('site', about),
    ...(await daemonSteps(config, whole, target.kind === 'auto')),
    keyStep(config, whole, target.kind === 'auto'),
    passed('user', `${site.user.name}: uid ${site.user.uid}, gid ${site.user.gid}, above the floors`),
    passed('php', site.php),
    ...(await scriptSteps(config, site, script)),
  ];
  return { ...explanation(steps), site: site.name, user: site.user.name, script };
}

function explanation(steps: readonly Step[]): Explanation {
  const first = steps.find(({ ok }) => !ok);
  return {
    ok: first === undefined,
    steps,
    ...(first?.reason === undefined ? {} : { reason: first.reason }),
  };
}

type FoundSite =
  | { readonly site: Site; readonly script: string; readonly about: string }
  | { readonly failure: Step };

function siteOf(config: Config, target: Target): FoundSite {
  switch (target.kind) {
    case 'site': {
      const { site, script, how } = target;
      return { site, script, about: `${site.name}, by ${how}, file ${site.file}` };
    }
    case 'auto':
      return automatic(config, target);
    case 'parked': {
      const { name, file, problems } = target.parked;
      const about = `${name} is parked: ${file}`;
      return { failure: { step: 'site', ok: false, about, findings: problems } };
    }
    case 'none':
      return { failure: failed('site', target.how, findingOf('no-site', undefined, {}), 'no-site') };
  }
}

function automatic(config: Config, target: Target & { kind: 'auto' }): FoundSite {
  const { match, script, how } = target;
  try {
    const site = automaticSite(config, config.auto?.patterns ?? [], match);
    return { site, script, about: `${site.name}, by ${how}` };
  } catch (thrown) {
    if (!(thrown instanceof GuiseError)) throw thrown;
    const finding = { ...findingOf('auto-refused', undefined, {}), message: thrown.message, remedy: '' };
    return { failure: failed('site', how, finding, 'auto-refused') };
  }
}

function forVisitor(site: Site, visitor: string | undefined): Site {
  const user = visitor === undefined ? undefined : site.visitors[visitor];
  if (user === undefined) return site;
  return sitesOfVisitors(site).find((one) => one.user.uid === user.uid) ?? site;
}

/** A daemon that runs, that knows the site as it is now, and whose socket lets the web server in. */
async function daemonSteps(config: Config, site: Site, isAutomatic: boolean): Promise<Step[]> {
  let report: StatusReport;
  try {
    report = await ask<StatusReport>(config, { method: 'GET', path: '/status' });
  } catch (thrown) {
    if (!(thrown instanceof GuiseError) || thrown.code !== 'NOT_RUNNING') throw thrown;
    const remedy = thrown.detail.remedy ?? '';
    return [
      failed('daemon', config.paths.run, {
        message: thrown.message,
        found: '',
        expected: 'a running daemon',
        remedy,
      }),
    ];
  }
  return [siteInDaemon(report, site, isAutomatic), socketStep(config, site)];
}

function siteInDaemon(report: StatusReport, site: Site, isAutomatic: boolean): Step {
  const running = `guise ${report.version}, pid ${report.pid}`;
  const status = report.sites.find(({ name }) => name === site.name);
  if (status === undefined && !isAutomatic) {
    const message = 'the daemon does not know the site: its file has changed since the daemon read it';
    const expected = 'the site among those of guise status';
    return failed('daemon', running, { message, found: '', expected, remedy: 'guise reload' });
  }
  const reason = status === undefined ? undefined : refusalOfState[status.state];
  if (status === undefined || reason === undefined) return passed('daemon', running);
  const finding = findingOf(reason, undefined, { SITE: site.name });
  return failed('daemon', running, { ...finding, found: status.reason ?? status.state }, reason);
}

function socketStep(config: Config, site: Site): Step {
  const path =
    site.socket === 'own' ? siteSocketPath(config.paths.run, site.name) : `${config.paths.run}/guise.sock`;
  const webUsers = config.router.webUsers.map(userByName).filter((user) => user !== undefined);
  const access = site.command === undefined ? undefined : programAccess(webUsers);
  const finding = checkSocketFile(path, webUsers, access);
  if (finding !== undefined) return failed('socket', path, finding);
  return passed('socket', `${path}, for ${config.router.webUsers.join(', ')}`);
}

/** The file of a site without the key that it needs is wrong, so that never gets here. */
function keyStep(config: Config, site: Site, isAutomatic: boolean): Step {
  if (isAutomatic) return passed('key', `that of all automatic sites, in ${config.file}`);
  if (!site.keyRequired) return passed('key', 'none is wanted: who may use the socket may name the site');
  return passed('key', `one is wanted, and the site has ${site.keys.length}`);
}
