/**
 * Unix users for one test process. Their names hold its process id, so test files that run at the same time never
 * share one, and nobody has to count who still needs them. What a killed run left is removed by the next one.
 */

import { existsSync } from 'node:fs';
import { finish, succeed } from '../../src/quickstart/command.js';
import { listProcesses } from '../../src/quickstart/processes.js';
import type { Undo } from '../../src/quickstart/undo.js';
import { until } from '../../src/quickstart/until.js';
import { ensureUser, idsOf } from '../../src/quickstart/users.js';

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** All its groups by number, the primary one too, in ascending order. */
  readonly groups: readonly number[];
  /** Names of the supplementary groups. */
  readonly extraGroups: readonly string[];
}

const prefix = 'guise-t-';

export class TestUsers {
  readonly #undo: Undo;
  readonly #users = new Map<string, TestUser>();
  #swept = false;

  constructor(undo: Undo) {
    this.#undo = undo;
  }

  /** The user `guise-t-PID-LABEL`, with two supplementary groups of its own; created at first use. */
  async get(label: string): Promise<TestUser> {
    const known = this.#users.get(label);
    if (known !== undefined) return known;
    if (!this.#swept) await removeLeftovers();
    this.#swept = true;
    const name = `${prefix}${process.pid}-${label}`;
    const extraGroups = [`${name}-x`, `${name}-y`];
    await ensureUser({ name, groups: extraGroups, system: false }, this.#undo);
    const { uid } = await idsOf(name);
    this.#undo.push(`end what ${name} still runs`, () => endProcessesOf(uid));
    const groups = (await succeed('id', ['-G', name])).trim().split(' ').map(Number);
    const user = { name, ...(await idsOf(name)), groups: groups.sort((a, b) => a - b), extraGroups };
    this.#users.set(label, user);
    return user;
  }

  uids(): Set<number> {
    return new Set([...this.#users.values()].map((user) => user.uid));
  }
}

/** The user was made for this test, so whatever runs as it was started by this test. Tells that there was something. */
async function endProcessesOf(uid: number): Promise<void> {
  const left = listProcesses().filter((entry) => entry.uid === uid);
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  await until(
    'killed processes to end',
    () => !listProcesses().some((entry) => entry.uid === uid && entry.state !== 'Z'),
  );
  if (left.length > 0) throw new Error(`had to kill ${left.map((entry) => entry.command).join(', ')}`);
}

/** Removes users and groups of test processes that are gone. */
async function removeLeftovers(): Promise<void> {
  for (const [database, remove] of [
    ['passwd', 'userdel'],
    ['group', 'groupdel'],
  ] as const) {
    const entries = (await succeed('getent', [database])).split('\n').map((line) => line.split(':')[0] ?? '');
    for (const name of entries.filter((entry) => entry.startsWith(prefix))) {
      const pid = name.slice(prefix.length).split('-')[0] ?? '';
      // Another process may remove the same leftover now; that it is gone is all that matters.
      if (!existsSync(`/proc/${pid}`)) await finish(remove, [name]);
    }
  }
}
