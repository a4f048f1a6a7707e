/**
 * `guise check SITE`: puts a page into the site's root as the site's user, asks for it through the real web server, and
 * compares what it says with the configuration. The page is gone afterwards, also when somebody interrupts.
 */

import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Config } from '../config/config.js';
import { seenHosts } from '../doctor/web-view.js';
import { GuiseError } from '../error.js';
import { failed, passed, type Step } from '../explain/step.js';
import { siteDirectories } from '../master/layout.js';
import { landlockSupport } from '../os/landlock.js';
import type { Site } from '../site/site.js';
import { type WebFiles, webConfigs } from '../web/find-config.js';
import { noAnswer, readAnswer, workerSteps } from './answer.js';
import { compare } from './expect.js';
import { type Fetched, fetchPage } from './fetch.js';
import { foreignHeader, probePage, tokenHeader } from './page.js';
import { removeAsUser, writeAsUser } from './run-as.js';
import { type ProbeTarget, probeTarget } from './target.js';

export interface ProbeOptions extends WebFiles {
  readonly url?: string;
  /** Beneath the root, where the user may not write into the root itself. */
  readonly directory?: string;
}

export interface Probe {
  readonly ok: boolean;
  readonly site: string;
  readonly user: string;
  readonly url: string;
  readonly steps: readonly Step[];
}

/** @param interrupted ends the question early; the page is removed all the same */
export async function probeSite(
  config: Config,
  site: Site,
  sites: readonly Site[],
  options: ProbeOptions,
  interrupted: AbortSignal,
): Promise<Probe> {
  const hosts = seenHosts({ config, sites, webs: webConfigs(options) });
  const target = probeTarget(site, hosts, options.url);
  const path = normalize(`/${options.directory ?? ''}/guise-probe-${randomBytes(12).toString('hex')}.php`);
  const url = new URL(path, target.origin);
  const foreign = foreignFile(config, site, sites);
  const asked = [passed('web server', `${target.origin.origin}, Host: ${site.name} (${target.how})`)];
  const steps = await question(config, site, { path, url, foreign, target, interrupted });
  const key = keyStep(site, target);
  const all: Step[] = [...asked, ...(key === undefined ? [] : [key])];
  if (!('answer' in steps)) all.push(steps.failure);
  else {
    const isConfined = site.confine === 'landlock' && landlockSupport().abi > 0;
    const foreignRoots = sites
      .filter(({ user }) => user.uid !== site.user.uid)
      .map(({ realRoot }) => realRoot);
    const directories = siteDirectories(config, site.name);
    const expected = {
      site,
      directories,
      foreignRoots,
      isConfined,
      ...(foreign === undefined ? {} : { foreign }),
    };
    all.push(passed('answer', path), ...(await workerSteps(config, site, steps.answer)));
    all.push(...compare(steps.answer, expected));
  }
  return {
    ok: all.every(({ ok }) => ok),
    site: site.name,
    user: site.user.name,
    url: target.origin.href,
    steps: all,
  };
}

interface Question {
  readonly path: string;
  readonly url: URL;
  readonly foreign: string | undefined;
  readonly target: ProbeTarget;
  readonly interrupted: AbortSignal;
}

type Outcome = { readonly answer: NonNullable<ReturnType<typeof readAnswer>> } | { readonly failure: Step };

async function question(config: Config, site: Site, asked: Question): Promise<Outcome> {
  const { path, url, foreign, interrupted } = asked;
  const token = randomBytes(32).toString('hex');
  const file = join(site.root, path);
  const page = probePage(token, Object.keys(site.phpIni.lock), Date.now());
  let fetched: Fetched;
  try {
    await writeAsUser(site, file, page);
    const headers = { [tokenHeader]: token, ...(foreign === undefined ? {} : { [foreignHeader]: foreign }) };
    fetched = await fetchPage(url, site.name, headers, interrupted);
  } catch (thrown) {
    if (interrupted.aborted || !(thrown instanceof GuiseError)) throw thrown;
    const { message, detail } = thrown;
    return {
      failure: failed('answer', path, {
        message,
        found: '',
        expected: 'an answer',
        remedy: detail.remedy ?? '',
      }),
    };
  } finally {
    await removeAsUser(site, file);
  }
  const answer = readAnswer(fetched);
  return answer === undefined ? { failure: await noAnswer(config, site, fetched, path) } : { answer };
}

/** What the web server's configuration says about the key, where a host was found. */
function keyStep(site: Site, { seen }: ProbeTarget): Step | undefined {
  if (seen === undefined || !site.keyRequired) return undefined;
  const about = `${seen.host.file}:${seen.host.line}`;
  const right = seen.host.keys.some(({ key }) => site.keys.includes(key));
  if (right) return passed('key', `${about} sends it, and guise takes no request without`);
  return failed('key', about, {
    message: `the virtual host does not send the key of ${site.name}`,
    found: seen.host.keys.length === 0 ? 'no key' : 'another key',
    expected: 'GUISE_KEY as guise web prints it',
    remedy: `guise web rekey ${site.name}`,
  });
}

/** A file that the site must not be able to open: of a site of another user's, else guise's log. */
function foreignFile(config: Config, site: Site, sites: readonly Site[]): string | undefined {
  for (const other of sites.filter(({ user }) => user.uid !== site.user.uid).slice(0, 50)) {
    const found = filesOf(other.realRoot).find((path) => {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats?.isFile() === true && (stats.mode & 0o004) !== 0;
    });
    if (found !== undefined) return found;
  }
  return `${config.paths.log}/guise.log`;
}

function filesOf(root: string): string[] {
  try {
    // A header can hold only so much, and nothing but printable letters.
    return readdirSync(root)
      .slice(0, 200)
      .map((name) => `${root}/${name}`)
      .filter((path) => /^[\x21-\x7e]{1,1000}$/.test(path));
  } catch {
    return [];
  }
}
