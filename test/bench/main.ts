/** The benchmark's beginning: which parts run, where their results go, and how it ends. */

import { loadavg } from 'node:os';
import { messageOf } from '../../src/error.js';
import { density } from './density.js';
import { kept } from './kept.js';
import { say } from './lab.js';
import { noisy } from './noisy.js';
import { type Options, readOptions } from './options.js';
import { publish } from './publish.js';
import { machine, type Result, record } from './results.js';
import { inWords } from './tables.js';
import { throughput } from './throughput.js';

const measuring: Readonly<Record<string, (options: Options) => Promise<Result>>> = {
  throughput,
  kept,
  noisy,
  density,
};

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  // Every server that runs has a listener for our own end.
  process.setMaxListeners(0);
  const names = options.part === 'all' ? Object.keys(measuring) : [options.part];
  for (const name of names) {
    const measure = measuring[name];
    if (measure === undefined) continue;
    const load = loadavg()[0] ?? 0;
    if (load > 0.5) say(`this machine is busy (load ${load.toFixed(1)}): the figures will be noise`);
    const result = await measure(options);
    const recorded = { machine: machine(load, options.quick), result };
    process.stdout.write(`${inWords(recorded)}\n`);
    say(`written to ${record(recorded)}`);
    if (result.failures.length > 0) {
      say(`${result.failures.length} runs FAILED`);
      process.exitCode = 1;
    }
  }
  if (options.publish) for (const file of publish()) say(`written: ${file}`);
}

main().catch((thrown: unknown) => {
  say(messageOf(thrown));
  process.exitCode = 1;
});
