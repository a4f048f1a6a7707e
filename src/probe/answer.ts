/** What came back instead of the page's answer, or the answer, and whether guise and this site's worker gave it. */

import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { GuiseError } from '../error.js';
import { findRefusal, recordFinding } from '../explain/refusal-record.js';
import { failed, passed, type Step } from '../explain/step.js';
import { ownerName } from '../os/identity.js';
import { realUidOf } from '../os/process.js';
import type { Site } from '../site/site.js';
import type { Fetched } from './fetch.js';
import { type ProbeAnswer, probeAnswer } from './page.js';

/** The answer, when it is one. */
export function readAnswer({ status, text }: Fetched): ProbeAnswer | undefined {
  if (status !== 200) return undefined;
  try {
    const parsed = probeAnswer.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const keyReasons: readonly string[] = ['no-key', 'wrong-key', 'other-key'];

/** Why there is no answer: a refusal of guise's, known by its reference, or something that the web server did. */
export async function noAnswer(config: Config, site: Site, fetched: Fetched, about: string): Promise<Step> {
  const id = /Reference: ([0-9a-f]{12})/.exec(fetched.text)?.[1];
  const record = id === undefined ? undefined : await findRefusal(config, id);
  if (id !== undefined) {
    const finding = record === undefined ? undefined : recordFinding(config, record);
    const isKey = keyReasons.includes(record?.reason ?? '');
    return failed('answer', about, {
      message: finding?.message ?? 'guise refused the request',
      found: `status ${fetched.status}, ${record?.reason ?? 'reason unknown'}, reference ${id}`,
      expected: finding?.expected ?? 'an answer',
      remedy: isKey ? `guise web rekey ${site.name}` : finding?.remedy || `guise explain --id ${id}`,
    });
  }
  const isSource = fetched.text.trimStart().startsWith('<?php');
  const beginning = JSON.stringify(fetched.text.slice(0, 60));
  return failed('answer', about, {
    message: isSource
      ? 'the web server sends the source of scripts to visitors'
      : 'the web server answered something else, and guise was not asked',
    found: isSource ? 'the page as it was written' : `status ${fetched.status}, ${beginning}`,
    expected: "the page's answer, given by guise",
    remedy: `guise web apache ${site.name} --bare   # (or nginx) what the virtual host of the site must have`,
  });
}

/** Whether guise ran the page: php-cgi, in a process that the daemon knows as this site's. */
export async function workerSteps(config: Config, site: Site, answer: ProbeAnswer): Promise<Step[]> {
  if (answer.sapi !== 'cgi-fcgi') {
    return [
      failed('guise', site.name, {
        message: 'something that is not guise ran the page',
        found: `PHP ${answer.version} as ${answer.sapi}, user ${answer.uid === null ? 'unknown' : ownerName(answer.uid)}`,
        expected: `php-cgi, started by guise as ${site.user.name}`,
        remedy: `guise web apache ${site.name} --bare   # (or nginx) these lines in the place of what is there`,
      }),
    ];
  }
  const report = await status(config);
  const known = report?.sites.find(({ name }) => name === site.name);
  const about = `PHP ${answer.version}, pid ${answer.pid}`;
  if (site.mode === 'per-request') return [passed('guise', `${about}, for this one request`)];
  const isKnown = known?.workerPids.includes(answer.pid) === true && realUidOf(answer.pid) === site.user.uid;
  if (!isKnown) {
    const found = `${about}, uid ${realUidOf(answer.pid)}`;
    const expected = `one of ${known?.workerPids.join(', ') || 'no process'}`;
    const message = "the page ran in a process that the daemon does not know as this site's";
    return [failed('guise', site.name, { message, found, expected, remedy: 'guise status' })];
  }
  return [passed('guise', `${about}, a worker of ${site.name}`), passed('ending', endingOf(answer.pid))];
}

async function status(config: Config): Promise<StatusReport | undefined> {
  try {
    return await ask<StatusReport>(config, { method: 'GET', path: '/status' });
  } catch (thrown) {
    if (thrown instanceof GuiseError && thrown.code === 'NOT_RUNNING') return undefined;
    throw thrown;
  }
}

/** How the process and what it starts are ended: by their control group, where guise has given them one. */
function endingOf(pid: number): string {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/cgroup`, 'latin1');
  } catch {
    // It has just ended.
  }
  const group = /^0::(.*\/sites\/[^/]+)$/m.exec(text)?.[1];
  return group === undefined
    ? 'by its process and those that it started; it has no control group of its own'
    : `by its control group ${group}`;
}
