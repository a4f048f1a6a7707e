/** Reads what there is, makes every check, and gathers what was found. Changes nothing, and shows no key. */

import { type Config, checkConfig } from '../config/config.js';
import type { StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { GuiseError } from '../error.js';
import { readSites } from '../site/registry.js';
import { type WebFiles, webConfigs } from '../web/find-config.js';
import { type Ailment, fromProblem, type Look, type Severity } from './check.js';
import { checks } from './checks.js';
import { type Machine, thisMachine } from './machine.js';

export interface Told extends Ailment {
  readonly id: string;
  readonly severity: Severity;
}

export interface Diagnosis {
  /** Nothing but notes was found. */
  readonly ok: boolean;
  readonly config: string;
  /** What was looked at. */
  readonly sites: number;
  readonly web: readonly string[];
  readonly checks: number;
  readonly found: readonly Told[];
}

/** @param progress is told what is done now, in a few words, before each step */
export async function examine(
  asked: string | undefined,
  files: WebFiles,
  progress: (words: string) => void,
  machine: Machine = thisMachine,
): Promise<Diagnosis> {
  progress('reading the configuration of guise');
  const { config, problems } = checkConfig(asked);
  if (config === undefined) {
    const found = problems.map((problem): Told => told('configuration', 'error', fromProblem(problem)));
    return { ok: false, config: problems[0]?.file ?? '', sites: 0, web: [], checks: 1, found };
  }
  const registry = readSites(config);
  progress(`reading the configuration of the web servers, for ${registry.sites.length} sites`);
  const webs = webConfigs(files);
  const daemon = await statusOf(config);
  const look: Look = {
    config,
    problems,
    registry,
    webs,
    machine,
    ...(daemon === undefined ? {} : { daemon }),
  };
  const found: Told[] = [];
  for (const [index, { id, severity, examine: make }] of checks.entries()) {
    progress(`${index + 1} of ${checks.length}: ${id}`);
    for (const ailment of await make(look)) found.push(told(id, severity, ailment));
  }
  return {
    ok: found.every(({ severity }) => severity === 'note'),
    config: config.file,
    sites: registry.sites.length + registry.parked.length,
    web: webs.map(({ file }) => file),
    checks: checks.length,
    found,
  };
}

async function statusOf(config: Config): Promise<StatusReport | undefined> {
  try {
    return await ask<StatusReport>(config, { method: 'GET', path: '/status' });
  } catch (thrown) {
    if (thrown instanceof GuiseError && thrown.code === 'NOT_RUNNING') return undefined;
    throw thrown;
  }
}

/** Whatever a check has to say, a key is never part of it. */
function told(id: string, severity: Severity, { about, message, found, expected, remedy }: Ailment): Told {
  const plain = (text: string): string => text.replace(/\b[0-9a-fA-F]{32,128}\b/g, '(a key)');
  return {
    id,
    severity,
    about: plain(about),
    message: plain(message),
    found: plain(found),
    expected: plain(expected),
    remedy: plain(remedy),
  };
}
