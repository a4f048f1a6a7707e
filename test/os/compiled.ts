/** Small C programs of the tests, compiled when they are needed. */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { packageRoot } from '../../src/os/addon.js';
import { run } from './running.js';

/** A directory that everybody may enter, for as long as the test runs. */
export function openDirectory(t: Pick<Test, 'teardown'>): string {
  const directory = mkdtempSync('/tmp/guise-os-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  return directory;
}

/** Compiles a C file of the tests, for instance `os/reaching.c`, to `output`. */
export async function compile(source: string, output: string): Promise<void> {
  const file = join(packageRoot(), 'test', source);
  const args = ['cc', '-std=c11', '-Wall', '-Wextra', '-Werror', '-o', output, file];
  const { death, output: said } = await run({ file: '/usr/bin/cc', args, env: { PATH: '/usr/bin:/bin' } });
  if (death.exitCode !== 0) throw new Error(said);
}
