/** A guise daemon that runs from one directory, started and stopped through the same commands that a person types. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GuiseError } from '../error.js';
import { type Finished, finish, type Service, startService, succeed } from './command.js';
import { until } from './until.js';

/** The checkout: two levels above build/src/quickstart. */
export const guiseProgram = fileURLToPath(new URL('../../../bin/guise', import.meta.url));

export interface Instance {
  readonly directory: string;
  /** The main configuration file, to be given to --config. */
  readonly config: string;
  readonly run: string;
  readonly state: string;
  readonly log: string;
  readonly sites: string;
}

/** Lays out a directory and its guise.toml. `toml` follows the [paths] table, so it may hold only further tables. */
export function layOut(directory: string, toml: string): Instance {
  const under = (name: string): string => `${directory}/${name}`;
  const instance = {
    directory,
    config: under('guise.toml'),
    run: under('run'),
    state: under('state'),
    log: under('log'),
    sites: under('sites.d'),
  };
  mkdirSync(instance.sites, { recursive: true, mode: 0o755 });
  const paths = ['run', 'state', 'log'].map((name) => `${name} = "${under(name)}"`);
  writeFileSync(instance.config, `[paths]\n${paths.join('\n')}\nsites = "${instance.sites}"\n\n${toml}\n`);
  return instance;
}

/** Runs `guise COMMAND … --config FILE` and answers with its exit code and words. */
export function guise(instance: Instance, args: readonly string[], input = ''): Promise<Finished> {
  return finish(process.execPath, [guiseProgram, ...args, '--config', instance.config], input);
}

/** The same for a command that must succeed; answers with its output. */
export function guiseSays(instance: Instance, args: readonly string[]): Promise<string> {
  return succeed(process.execPath, [guiseProgram, ...args, '--config', instance.config]);
}

/** Starts the daemon and waits until it answers a ping. `output` is where its own words go before it has a log. */
export async function startDaemon(instance: Instance, output: string): Promise<Service> {
  const service = startService(
    process.execPath,
    [guiseProgram, 'daemon', '--config', instance.config],
    output,
    instance.directory,
  );
  try {
    await until(
      'guise to answer a ping',
      async () => {
        if (service.exit() !== undefined) {
          throw new GuiseError(
            'SETUP_FAILED',
            `guise daemon ended at once: ${readFileSync(output, 'utf8').trim()}`,
          );
        }
        return (await guise(instance, ['ping'])).code === 0;
      },
      20_000,
    );
  } catch (thrown) {
    await service.stop();
    throw thrown;
  }
  return service;
}
