/** The directories of an instance, and what a tenant can do to those that are his. */

import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import type { Config } from '../../src/config/config.js';
import { prepareInstance, prepareSite, spoolDirectory } from '../../src/master/layout.js';
import { preloadLibrary } from '../../src/os/addon.js';
import { type UserEntry, userByName } from '../../src/os/identity.js';
import { readSites } from '../../src/site/registry.js';
import type { Site } from '../../src/site/site.js';
import { run } from '../os/running.js';
import { makeInstance, siteText } from '../site/instance.js';

function user(name: string): UserEntry {
  const entry = userByName(name);
  if (entry === undefined) throw new Error(`no user ${name}`);
  return entry;
}

const router = user('daemon');
const tenant = user('games');

interface Stage {
  readonly top: string;
  readonly config: Config;
  readonly site: Site;
}

function stage(t: Test): Stage {
  const instance = makeInstance(t);
  chmodSync(instance.directory, 0o755);
  instance.site('a.test.toml', siteText(instance, 'a.test', 'confine = "off"\n'));
  const config = instance.config();
  const [site] = readSites(config).sites;
  if (site === undefined) throw new Error('no site');
  return { top: instance.directory, config, site };
}

/** Owner, group and mode: `0:0 755`. */
function access(path: string): string {
  const { uid, gid, mode } = lstatSync(path);
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
}

t.test('an instance and a site, whatever the umask, and as often as one likes', (t) => {
  for (const umask of [0, 0o077]) {
    const { config, site } = stage(t);
    const { run: runDirectory, state, log } = config.paths;
    const before = process.umask(umask);
    const library = prepareInstance(config, router);
    prepareSite(config, site);
    prepareInstance(config, router);
    prepareSite(config, site);
    process.umask(before);
    t.equal(access(library), '0:0 755');
    for (const path of [
      runDirectory,
      `${runDirectory}/sites`,
      `${runDirectory}/lib`,
      state,
      `${state}/sites`,
      log,
    ]) {
      t.equal(access(path), '0:0 755', path);
    }
    t.equal(access(spoolDirectory(config)), `${router.uid}:${router.gid} 700`);
    t.equal(access(`${state}/sites/a.test`), `0:${tenant.gid} 710`);
    t.equal(access(`${state}/sites/a.test/tmp`), `${tenant.uid}:${tenant.gid} 700`);
    t.equal(access(`${state}/sites/a.test/sessions`), `${tenant.uid}:${tenant.gid} 700`);
    t.equal(access(`${log}/sites/a.test`), `0:${tenant.gid} 750`);
    t.equal(access(`${log}/sites/a.test/php.log`), `${tenant.uid}:${tenant.gid} 640`);
  }
  const { config, site } = stage(t);
  prepareInstance(config, router);
  const { phpLog } = prepareSite(config, site);
  writeFileSync(phpLog, 'a line\n');
  prepareSite(config, site);
  t.equal(readFileSync(phpLog, 'utf8'), 'a line\n', 'the log is kept');
  t.end();
});

t.test('a site that gets another user gets its directories with it', (t) => {
  const { config, site } = stage(t);
  prepareInstance(config, router);
  prepareSite(config, site);
  const other = user('man');
  const { tmp } = prepareSite(config, { ...site, user: other });
  t.equal(access(tmp), `${other.uid}:${other.gid} 700`);
  t.equal(access(`${config.paths.state}/sites/a.test`), `0:${other.gid} 710`);
  t.end();
});

t.test('the library that sites are given is the installed one, whatever lay there', (t) => {
  const { config } = stage(t);
  const path = prepareInstance(config, router);
  const content = readFileSync(preloadLibrary());
  t.ok(readFileSync(path).equals(content));
  t.equal(access(path), '0:0 755');
  const { ino } = statSync(path);
  t.equal(prepareInstance(config, router), path);
  t.equal(statSync(path).ino, ino, 'running processes keep theirs');
  writeFileSync(path, 'something else');
  prepareInstance(config, router);
  t.ok(readFileSync(path).equals(content));
  t.same(readdirSync(`${config.paths.run}/lib`).length, 1, 'and nothing beside it');
  t.end();
});

t.test('a directory that is not root’s alone is refused', (t) => {
  for (const spoil of [
    (path: string) => chownSync(path, tenant.uid, 0),
    (path: string) => chmodSync(path, 0o777),
    (path: string) => chmodSync(path, 0o775),
    (path: string) => {
      renameSync(path, `${path}.real`);
      symlinkSync(`${path}.real`, path);
      lchownSync(path, tenant.uid, 0);
    },
    (path: string) => {
      rmSync(path, { recursive: true });
      mkdirSync(`${path}.tenant`);
      chownSync(`${path}.tenant`, tenant.uid, 0);
      symlinkSync(`${path}.tenant`, path);
    },
  ]) {
    for (const place of ['run', 'state', 'log'] as const) {
      const { config } = stage(t);
      prepareInstance(config, router);
      spoil(config.paths[place]);
      t.throws(() => prepareInstance(config, router), { code: 'SETUP_FAILED' }, place);
    }
  }
  t.end();
});

t.test('a tenant cannot put anything else in the place of his directories', async (t) => {
  const { top, config, site } = stage(t);
  prepareInstance(config, router);
  const { tmp, sessions, phpLog } = prepareSite(config, site);
  mkdirSync(`${top}/victim`);
  writeFileSync(`${top}/victim/file`, 'untouched', { mode: 0o600 });
  const victim = [access(`${top}/victim`), access(`${top}/victim/file`)];
  const attempts = [
    ['mv', tmp, `${tmp}.away`],
    ['rmdir', sessions],
    ['ln', '-sfnT', `${top}/victim`, tmp],
    ['ln', '-s', `${top}/victim`, `${config.paths.state}/sites/a.test/new`],
    ['rm', '-f', phpLog],
    ['ln', '-sf', `${top}/victim/file`, phpLog],
    ['chmod', '777', `${config.paths.state}/sites/a.test`],
    ['ln', '-s', `${top}/victim`, `${config.paths.run}/php/a.test`],
    ['ln', '-sf', `${top}/victim/file`, `${config.paths.run}/sites/a.test.sock`],
    ['ls', `${config.paths.state}/sites/a.test`],
  ];
  for (const args of attempts) {
    const { death } = await run({ file: `/bin/${args[0]}`, args, identity: tenant });
    t.not(death.exitCode, 0, args.join(' '));
  }
  const inside = ['ln', '-s', `${top}/victim`, `${tmp}/sub`];
  t.equal(
    (await run({ file: '/bin/ln', args: inside, identity: tenant })).death.exitCode,
    0,
    'inside he may',
  );
  prepareSite(config, site);
  t.same([access(`${top}/victim`), access(`${top}/victim/file`)], victim, 'and root does not follow him');
  t.equal(readFileSync(`${top}/victim/file`, 'utf8'), 'untouched');
});

t.test('a log that is a link is not opened', (t) => {
  const { top, config, site } = stage(t);
  prepareInstance(config, router);
  const { phpLog } = prepareSite(config, site);
  writeFileSync(`${top}/victim`, 'untouched', { mode: 0o600 });
  rmSync(phpLog);
  symlinkSync(`${top}/victim`, phpLog);
  t.throws(() => prepareSite(config, site), { code: 'ELOOP' });
  t.equal(access(`${top}/victim`), '0:0 600');
  t.end();
});
