/** Old temporary files go, and removed sites' directories, by the hand of their owners. */

import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Housekeeper } from '../../src/master/housekeeper.js';
import { reap } from '../../src/os/reap.js';
import type { Site } from '../../src/site/site.js';
import { countFileCalls } from '../harness/file-calls.js';

const uid = 64_901;
const neighbour = 64_950;

interface Stage {
  readonly state: string;
  readonly tmp: string;
  readonly site: Site;
  readonly keeper: Housekeeper;
  readonly warnings: string[];
}

function owned(path: string, owner: number): string {
  mkdirSync(path, { recursive: true });
  chownSync(path, owner, owner);
  return path;
}

function stage(t: Test, tmpMaxAgeMs: number): Stage {
  const top = mkdtempSync('/tmp/guise-housekeeper-');
  t.teardown(() => rmSync(top, { recursive: true }));
  chmodSync(top, 0o755);
  const state = `${top}/state`;
  const tmp = owned(`${state}/sites/a.test/tmp`, uid);
  owned(`${state}/sites/a.test/sessions`, uid);
  mkdirSync(`${top}/sites.d`);
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) });
  const keeper = new Housekeeper(state, log);
  const user = { uid, gid: uid, groups: [uid] };
  const site = { name: 'a.test', file: `${top}/sites.d/a.test.toml`, user, tmpMaxAgeMs } as unknown as Site;
  return { state, tmp, site, keeper, warnings };
}

/** Collects its children as the master does, until the condition holds. */
async function until(keeper: Housekeeper, what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    for (let death = reap(); death !== undefined; death = reap()) keeper.childDied(death.pid);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

t.test('files that nobody touches go, others stay', async (t) => {
  const { tmp, site, keeper, warnings } = stage(t, 2000);
  for (const name of ['old', 'held']) writeFileSync(`${tmp}/${name}`, 'text');
  owned(`${tmp}/directory/deep`, uid);
  chownSync(`${tmp}/directory`, uid, uid);
  const outside = owned(`${tmp}/../outside`, uid);
  writeFileSync(`${outside}/kept`, '');
  symlinkSync('../outside', `${tmp}/link`);
  lchownSync(`${tmp}/link`, uid, uid);
  const stop = keeper.attend(site, tmp, undefined);
  t.teardown(stop);
  const touch = setInterval(() => writeFileSync(`${tmp}/held`, 'again'), 200);
  t.teardown(() => clearInterval(touch));
  await until(keeper, 'the old ones to go', () => readdirSync(tmp).join() === 'held');
  t.ok(existsSync(`${outside}/kept`), 'no link is followed');
  t.same(warnings, []);
});

t.test('a time that is set back deceives nobody', async (t) => {
  const { tmp, site, keeper } = stage(t, 3000);
  const startedMs = Date.now();
  for (const name of ['new', 'newer']) writeFileSync(`${tmp}/${name}`, '');
  utimesSync(`${tmp}/new`, 1, 1);
  t.teardown(keeper.attend(site, tmp, undefined));
  await until(keeper, 'the file to go', () => !existsSync(`${tmp}/new`));
  t.ok(Date.now() - startedMs >= 3000, 'not before it is old');
});

t.test('it can be switched off, and ends with the template', async (t) => {
  const never = stage(t, 0);
  writeFileSync(`${never.tmp}/file`, '');
  never.keeper.attend(never.site, never.tmp, undefined)();
  const short = stage(t, 1000);
  writeFileSync(`${short.tmp}/file`, '');
  short.keeper.attend(short.site, short.tmp, undefined)();
  const other = stage(t, 1000);
  writeFileSync(`${other.tmp}/file`, '');
  t.teardown(other.keeper.attend(other.site, other.tmp, undefined));
  await until(other.keeper, 'a file of another one to go', () => !existsSync(`${other.tmp}/file`));
  t.ok(existsSync(`${never.tmp}/file`));
  t.ok(existsSync(`${short.tmp}/file`));
});

t.test('a removed site leaves nothing', async (t) => {
  const { state, tmp, site, keeper, warnings } = stage(t, 1000);
  owned(`${tmp}/deep/deeper`, uid);
  chownSync(`${tmp}/deep`, uid, uid);
  chmodSync(`${tmp}/deep`, 0o700);
  writeFileSync(`${state}/sites/a.test/sessions/sess_x`, '');
  keeper.siteIsOver(site);
  t.notOk(existsSync(`${state}/sites/a.test`), 'its name is free at once');
  await until(keeper, 'its directories to go', () => readdirSync(`${state}/discarded`).length === 0);
  t.same(warnings, []);
});

t.test('a site whose file is there, or set aside, keeps everything', async (t) => {
  for (const name of ['a.test.toml', 'a.test.toml.disabled']) {
    const { state, site, keeper } = stage(t, 1000);
    writeFileSync(`${site.file.replace('a.test.toml', '')}${name}`, '');
    keeper.siteIsOver(site);
    t.ok(existsSync(`${state}/sites/a.test/tmp`), name);
  }
});

t.test('sites that go together are looked for once, and those that stay not at all', async (t) => {
  const { site, keeper } = stage(t, 1000);
  const directory = site.file.replace('/a.test.toml', '');
  const sites = Array.from({ length: 50 }, (_, n) => `s${n}.test`);
  const end = (): void => {
    for (const name of sites) keeper.siteIsOver({ ...site, name, file: `${directory}/${name}.toml` });
  };
  t.equal(countFileCalls(end).readdirSync, 1);
  for (const name of sites) writeFileSync(`${directory}/${name}.toml`, '');
  t.equal(countFileCalls(end).readdirSync, undefined);
});

t.test('root removes nothing that is not empty', async (t) => {
  const { state, tmp, site, keeper, warnings } = stage(t, 1000);
  // As a neighbour's directory within hers: she cannot empty it.
  owned(`${tmp}/his`, neighbour);
  writeFileSync(`${tmp}/his/file`, '');
  keeper.siteIsOver(site);
  await until(keeper, 'it to be said', () => warnings.length > 0);
  t.match(warnings[0], /could not be removed/);
  const [left = ''] = readdirSync(`${state}/discarded`);
  t.ok(existsSync(`${state}/discarded/${left}/tmp/his/file`));
  rmSync(`${state}/discarded/${left}/tmp/his`, { recursive: true });
  const next = new Housekeeper(state, pino({ enabled: false }));
  next.begin();
  await until(next, 'the next daemon to do it', () => readdirSync(`${state}/discarded`).length === 0);
});
