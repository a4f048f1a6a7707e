/** The script check's own steps: run as the site's user, and put into words. */

import type { Config } from '../config/config.js';
import { quoteShell } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { confinementOf } from '../master/confinement.js';
import { libraryDirectory, siteDirectories } from '../master/layout.js';
import { groupName } from '../os/identity.js';
import { type RefusalReason, scriptReason } from '../router/refusals.js';
import type { Site } from '../site/site.js';
import { type CheckedSite, checkScript, type ScriptCheck } from './script-check.js';
import { failed, findingOf, passed, type Step, type Values } from './step.js';

/** What a step is called when it passes: the question that its reason answers with no. */
const stepNames: Readonly<Partial<Record<RefusalReason, string>>> = {
  'script-not-named': 'script named',
  'script-bad-path': 'path sound',
  'script-not-found': 'file there',
  'script-no-root': 'root there',
  'script-outside-root': 'beneath root',
  'script-not-regular': 'regular file',
  'script-suffix': 'suffix',
  'script-owner': 'file owner',
  'script-writable': 'file mode',
  'script-setid': 'no setuid',
  'script-dir-owner': 'directory owner',
  'script-dir-writable': 'directory mode',
  'script-unreadable': 'readable',
};

/** @param script SCRIPT_FILENAME as the web server would send it */
export async function scriptSteps(config: Config, site: Site, script: string): Promise<Step[]> {
  let check: ScriptCheck;
  try {
    const directories = siteDirectories(config, site.name);
    const library = `${libraryDirectory(config)}/guise-preload.so`;
    const rules = confinementOf(site, directories, library, config.requireConfinement);
    check = await checkScript(site, script, rules);
  } catch (thrown) {
    if (!(thrown instanceof GuiseError) || !startFailures.has(thrown.code)) throw thrown;
    const finding = findingOf('start-failed', undefined, { SITE: site.name });
    return [failed('start', site.user.name, { ...finding, found: messageOf(thrown) }, 'start-failed')];
  }
  return checkedSteps(site, script, check);
}

/** What a check that was made has found, step by step. */
export function checkedSteps(site: CheckedSite, script: string, check: ScriptCheck): Step[] {
  const begun = check.steps.map(({ reason, path }) => ({ reason: scriptReason(reason), path }));
  const start = passed('start', `the check of the script runs as ${site.user.name}`);
  if (check.verdict.reason === 0) {
    const { pathInfo } = check;
    const all = begun.map(({ reason, path }) => passed(nameOf(reason), path || script));
    return [start, ...all, ...(pathInfo === '' ? [] : [passed('path info', pathInfo)])];
  }
  const last = begun.pop();
  const before = begun.map(({ reason, path }) => passed(nameOf(reason), path || script));
  return [start, ...before, failure(site, check, last?.path || script)];
}

/** What keeps a template from being started, too. */
const startFailures: ReadonlySet<string> = new Set(['LAUNCH_FAILED', 'NOT_PERMITTED', 'SITE_INVALID']);

function nameOf(reason: RefusalReason): string {
  return stepNames[reason] ?? reason;
}

function failure(site: CheckedSite, check: ScriptCheck, path: string): Step {
  const { denied, verdict } = check;
  const reason = scriptReason(verdict.reason);
  const about = denied ?? path;
  const finding = findingOf(reason, verdict.found, valuesFor(site, reason, about));
  if (denied === undefined) return failed(nameOf(reason), about, finding, reason);
  const remedy = `setfacl -m u:${site.user.name}:x ${quoteShell(denied)}   (or: chmod o+x, for everybody)`;
  const expected = `a directory that ${site.user.name} may enter`;
  return failed(nameOf(reason), about, { ...finding, expected, remedy }, reason);
}

function valuesFor(site: CheckedSite, reason: RefusalReason, path: string): Values {
  const directory = path.slice(0, path.lastIndexOf('/')) || '/';
  return {
    FILE: path,
    // A script outside the root would be in it if its directory were the root.
    DIRECTORY: reason === 'script-outside-root' ? directory : path,
    ROOT: site.root,
    SITE: site.name,
    USER: site.user.name,
    GROUP: groupName(site.user.gid) ?? String(site.user.gid),
  };
}
