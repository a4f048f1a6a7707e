/** Runs what guise tells people to run, as they would type it: in a shell, with `guise` on the path. */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type Finished, finish } from '../../src/quickstart/command.js';
import { guiseProgram } from '../../src/quickstart/daemon.js';

export interface Shell {
  /** A line of shell, comments and all. */
  run(line: string): Promise<Finished>;
  /** Puts a program of that name before all others. */
  program(name: string, script: string): void;
}

/** @param config what `guise` means when nobody says --config */
export function shellFor(directory: string, config: string): Shell {
  const bin = `${directory}/bin`;
  mkdirSync(bin, { recursive: true });
  const path = `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  const program = (name: string, script: string): void => {
    writeFileSync(`${bin}/${name}`, `#!/bin/sh\n${script}\n`);
    chmodSync(`${bin}/${name}`, 0o755);
  };
  program('guise', `exec ${process.execPath} ${guiseProgram} "$@"`);
  return {
    run: (line) => finish('env', [`PATH=${path}`, `GUISE_CONFIG=${config}`, 'sh', '-c', line]),
    program,
  };
}
