/** Scripts whose programs try to outlive them, and what is left of these. */

import { chmodSync, readFileSync } from 'node:fs';
import { packageRoot } from '../../src/os/addon.js';
import { succeed } from '../../src/quickstart/command.js';
import type { ProcessEntry } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { type Guise, type Site, writeAs } from '../harness/guise.js';
import type { World } from '../harness/world.js';

/** `?how=`: see escapee.c. `?then=`: go on for ever, answer, or say something and go on. */
const page = `<?php
$parents = $_GET['how'] === 'orphan' ? getmypid() . ' ' . posix_getppid() : getmypid();
file_put_contents(__DIR__ . '/ran', getmypid() . "\\n", FILE_APPEND);
shell_exec(__DIR__ . '/escapee ' . escapeshellarg($_GET['how']) . " $parents > /dev/null 2>&1 &");
if (($_GET['then'] ?? '') === 'answer') { usleep(200_000); exit('answered'); }
if (($_GET['then'] ?? '') === 'speak') { echo 'a beginning', str_repeat(' ', 1 << 16); flush(); }
for (;;) usleep(1000);`;

export const ways = ['session', 'twice', 'reaper', 'killer', 'orphan', 'sibling', 'hop', 'leader'] as const;
export type Way = (typeof ways)[number];

export const escapePages = { 'escape.php': page };

/** Compiles the program into the site's root. */
export async function placeEscapee(world: World, site: Site): Promise<void> {
  const program = `${world.directory}/escapee`;
  const source = `${packageRoot()}/test/attack/escapee.c`;
  const options = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-pthread'];
  await succeed('/usr/bin/cc', [...options, '-o', program, source]);
  writeAs(site, 'escapee', readFileSync(program), 0o755);
  chmodSync(`${site.root}/escapee`, 0o755);
}

/** The programs of this site's user that run now, dead ones not counted. */
export function escapees(guise: Guise, site: Site): ProcessEntry[] {
  return guise
    .processesOf(site.user)
    .filter(({ command, state }) => state !== 'Z' && command.includes('/escapee '));
}

/** Waits until one has been there, for those that are to be ended must have lived. */
export function escaped(guise: Guise, site: Site): Promise<unknown> {
  return until('a program that has got away', () => escapees(guise, site).length > 0);
}

/** A process that forks as fast as it dies may be missed by whoever reads /proc, now and then; not so often in a row. */
const looksInARow = 10;

/**
 * Waits until none is there, and none comes again. One that forks as fast as it dies is caught by chance, look by look:
 * within milliseconds mostly, and later where all processors are busy.
 */
export async function caught(guise: Guise, site: Site, deadlineMs = 20_000): Promise<void> {
  let without = 0;
  const isOver = (): boolean => {
    without = escapees(guise, site).length === 0 ? without + 1 : 0;
    return without === looksInARow;
  };
  await until('the end of what a script has started', isOver, deadlineMs);
}
