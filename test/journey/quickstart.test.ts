/** `npm run quickstart` does what the README says, and leaves nothing behind, whichever way it ends. */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { finish, startService } from '../../src/quickstart/command.js';
import { listProcesses } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { readText } from '../harness/log.js';

const program = fileURLToPath(new URL('../../src/quickstart/main.js', import.meta.url));

async function traces(): Promise<string[]> {
  const users = (await finish('getent', ['passwd'])).stdout
    .split('\n')
    .filter((line) => /^guise(-demo-[ab])?:/.test(line));
  const directories = readdirSync('/tmp').filter((name) => name.startsWith('guise-quickstart-'));
  const processes = listProcesses().filter((entry) => entry.command.includes('guise-quickstart-'));
  return [...users, ...directories, ...processes.map((entry) => entry.command)];
}

t.test('once', async (t) => {
  const before = await traces();
  const { code, stdout, stderr } = await finish(process.execPath, [program, '--once']);
  t.equal(code, 0, stderr);
  t.match(
    stdout,
    /http:\/\/127\.0\.0\.1:\d+\/ +demo-a +\d+ \(guise-demo-a\) +guise-demo-a,guise-demo-a-friends +\d+/,
  );
  t.match(
    stdout,
    /http:\/\/127\.0\.0\.1:\d+\/ +demo-b +\d+ \(guise-demo-b\) +guise-demo-b,guise-demo-b-friends +\d+/,
  );
  t.same(await traces(), before, 'nothing is left');
});

t.test('until it is interrupted', async (t) => {
  const before = await traces();
  const directory = t.testdir({});
  const service = startService(process.execPath, [program], `${directory}/output`);
  const output = (): string => readText(`${directory}/output`);
  await until('the URLs', () => /stay up/.test(output()), 60_000);
  const urls = output().match(/http:\/\/127\.0\.0\.1:\d+\//g) ?? [];
  t.equal(urls.length, 2);
  for (const [at, url] of urls.entries()) {
    const page = await (await fetch(url)).text();
    t.match(page, `This page runs as guise-demo-${at === 0 ? 'a' : 'b'}`);
    t.match(page, 'not readable, as it should be');
  }
  await service.stop('SIGINT', 30_000);
  t.same(service.exit(), { code: 0, signal: null });
  t.same(await traces(), before, 'nothing is left');
});

t.test('interrupted while it starts', async (t) => {
  const before = await traces();
  const directory = t.testdir({});
  const service = startService(process.execPath, [program], `${directory}/output`);
  await until('the first steps', () => /guise daemon/.test(readText(`${directory}/output`)), 30_000);
  await service.stop('SIGTERM', 60_000);
  t.same(await traces(), before, 'nothing is left');
});
