/**
 * Launches from within a process of a certain make, and says how it went: run with one argument, a JSON object
 * {as?, before?, exhaust?, specs}. '$PID' in an argument stands for this process. Prints one line for each of the
 * specs: {pid}, or {step, syscall, errno}.
 */
import { openSync, writeSync } from 'node:fs';
import { GuiseError, messageOf } from '../../src/error.js';
import { becomeUser } from '../../src/os/identity.js';
import { type Identity, type LaunchSpec, launch } from '../../src/os/launch.js';
import { deathOf } from './running.js';

interface Order {
  as?: Identity;
  before?: LaunchSpec;
  exhaustDescriptors?: boolean;
  specs: LaunchSpec[];
  /** Do not wait for what was launched, but stay: somebody is going to kill this process. */
  stay?: boolean;
}

function withPid(spec: LaunchSpec): LaunchSpec {
  return { ...spec, args: spec.args.map((arg) => (arg === '$PID' ? String(process.pid) : arg)) };
}

async function attempt(spec: LaunchSpec, wait: boolean): Promise<object> {
  try {
    const { pid } = launch(spec);
    if (wait) await deathOf(pid);
    return { pid };
  } catch (thrown) {
    if (thrown instanceof GuiseError && thrown.code === 'LAUNCH_FAILED') return thrown.detail;
    return { unexpected: messageOf(thrown) };
  }
}

function takeAllDescriptors(): void {
  for (;;) {
    try {
      openSync('/dev/null', 'r');
    } catch {
      return;
    }
  }
}

const order = JSON.parse(process.argv[2] ?? '') as Order;
if (order.as !== undefined) becomeUser(order.as);
if (order.before !== undefined) await attempt(withPid(order.before), true);
if (order.exhaustDescriptors === true) takeAllDescriptors();
for (const spec of order.specs) {
  writeSync(1, `${JSON.stringify(await attempt(spec, order.stay !== true))}\n`);
}
if (order.stay === true) setInterval(() => {}, 1000);
