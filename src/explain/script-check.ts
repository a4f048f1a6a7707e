/**
 * Makes the script check dry: starts the program that holds the same code as the library (native/check), as the
 * site's user, and reads what it says. It runs under a user who may wish us ill: what it says is taken apart with
 * fixed forms, is bounded in size and time, and is shown and nothing else.
 */

import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GuiseError } from '../error.js';
import { scriptCheckProgram } from '../os/addon.js';
import { type LandlockRules, launch } from '../os/launch.js';
import { pidfdOpen, pidfdSignal } from '../os/process.js';
import { reap } from '../os/reap.js';
import { close, memfd } from '../os/socket.js';
import { scriptVariables } from '../site/script-variables.js';
import type { Site } from '../site/site.js';

/** A step that was begun: the number of its reason (native/preload/script.h), and the path that was looked at. */
export interface BegunStep {
  readonly reason: number;
  readonly path: string;
}

export interface ScriptCheck {
  /** In order; the last one is the one that failed, unless the verdict is 0. */
  readonly steps: readonly BegunStep[];
  /** The directory that the site's user may not enter. */
  readonly denied?: string;
  readonly pathInfo: string;
  /** 0: the script would run; else the number of the reason, and what was found. */
  readonly verdict: { readonly reason: number; readonly found: number };
}

/** What must be known of a site to check its scripts. */
export type CheckedSite = Pick<Site, 'name' | 'root' | 'suffixes' | 'trustedUids' | 'user'>;

const mostBytes = 256 * 1024;
const patienceMs = 10_000;

/**
 * @param script SCRIPT_FILENAME as the web server would send it
 * @param rules what the site's processes are confined to, as its template is
 * @throws GuiseError LAUNCH_FAILED with the step at which the site's user cannot be become, or when nothing sensible
 * came back
 */
export async function checkScript(
  site: CheckedSite,
  script: string,
  rules: LandlockRules | undefined,
): Promise<ScriptCheck> {
  const output = memfd('guise-script-check');
  try {
    await ended(start(site, script, rules, output));
    return readCheck(contentOf(output));
  } finally {
    close(output);
  }
}

/** By descriptor: the program may lie where the site's user cannot go. */
function start(site: CheckedSite, script: string, rules: LandlockRules | undefined, output: number): number {
  const file = realpathSync(scriptCheckProgram());
  const program = openSync(file, 'r');
  const landlock = rules && { ...rules, read: [...rules.read, dirname(file)] };
  try {
    return launch({
      file: '/proc/self/fd/3',
      args: ['guise-script-check', script],
      env: scriptVariables(site),
      cwd: '/',
      descriptors: [-1, output, -1, program],
      // Whoever is the site's user already needs no right to become it.
      ...(process.geteuid?.() === site.user.uid ? {} : { identity: site.user }),
      limits: { core: 0, fsize: mostBytes },
      newSession: true,
      ...(landlock === undefined ? {} : { landlock }),
    }).pid;
  } finally {
    closeSync(program);
  }
}

async function ended(pid: number): Promise<void> {
  const pidfd = pidfdOpen(pid);
  const deadline = performance.now() + patienceMs;
  try {
    while (reap()?.pid !== pid) {
      // A file system that does not answer holds the program; the person who asked should not wait with it.
      if (performance.now() > deadline) pidfdSignal(pidfd, 9);
      if (performance.now() > deadline + 1000) throw silent(`it did not end within ${patienceMs / 1000} s`);
      await delay(2);
    }
  } finally {
    close(pidfd);
  }
}

function contentOf(fd: number): string {
  const buffer = Buffer.alloc(mostBytes);
  return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
}

/** Takes the program's records apart; see native/check/main.c. */
export function readCheck(text: string): ScriptCheck {
  const steps: BegunStep[] = [];
  let denied: string | undefined;
  let pathInfo = '';
  for (const record of text.split('\0')) {
    const [, word = '', rest = ''] = /^(step|denied|info|verdict) (.*)$/s.exec(record) ?? [];
    const [, number = '', more = ''] = /^(\d{1,10}) (.*)$/s.exec(rest) ?? [];
    if (word === 'step') steps.push({ reason: Number(number), path: more });
    else if (word === 'denied') denied = rest;
    else if (word === 'info') pathInfo = rest;
    else if (word === 'verdict') {
      const verdict = { reason: Number(number), found: Number(more) };
      return { steps, pathInfo, verdict, ...(denied === undefined ? {} : { denied }) };
    }
  }
  throw silent('it came to no verdict');
}

function silent(how: string): GuiseError {
  return new GuiseError('LAUNCH_FAILED', `the script check as the site's user says nothing: ${how}`);
}
