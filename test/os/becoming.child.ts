/**
 * Becomes a user, given as JSON, and shows what the kernel says of each thread afterwards, and what comes of trying
 * to go back. Prints one line of JSON.
 */
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { GuiseError } from '../../src/error.js';
import { becomeUser } from '../../src/os/identity.js';
import type { Identity } from '../../src/os/launch.js';

const id = JSON.parse(process.argv[2] ?? '') as Identity;
const before = process.argv[3];
// The threads for files exist only after first use.
await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => readFile('/proc/self/status')));
if (before === 'drop-first') {
  process.setgroups?.([]);
  process.setgid?.(id.gid);
  process.setuid?.(id.uid);
}

function outcomeOf(attempt: () => void): string {
  try {
    attempt();
    return 'succeeded';
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? 'failed';
  }
}

function show(): object {
  try {
    becomeUser(id);
  } catch (thrown) {
    if (thrown instanceof GuiseError) return { code: thrown.code, message: thrown.message, ...thrown.detail };
    throw thrown;
  }
  const tasks = readdirSync('/proc/self/task');
  return {
    threads: tasks.map((task) => readFileSync(`/proc/self/task/${task}/status`, 'latin1')),
    back: [
      outcomeOf(() => process.setuid?.(0)),
      outcomeOf(() => process.seteuid?.(0)),
      outcomeOf(() => process.setgid?.(0)),
      outcomeOf(() => process.setegid?.(0)),
      outcomeOf(() => process.setgroups?.([0])),
    ],
  };
}

writeSync(1, JSON.stringify(show()));
