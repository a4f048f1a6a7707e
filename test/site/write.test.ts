import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readSites } from '../../src/site/registry.js';
import { addSite, changeSite, removeSite } from '../../src/site/write.js';
import { type Instance, key, makeInstance, otherKey, siteText } from './instance.js';

function files(instance: Instance): string[] {
  return readdirSync(join(instance.directory, 'sites.d'));
}

t.test('a new site gets a key and a file of mode 0600', async (t) => {
  const instance = makeInstance(t);
  const config = instance.config();
  rmSync(config.paths.sites, { recursive: true });
  const site = addSite(config, { name: 'A.example', user: 'games', root: instance.root, env: { A: '1' } });
  t.equal(site.file, join(config.paths.sites, 'a.example.toml'));
  t.match(site.keys, [/^[0-9a-f]{64}$/]);
  t.equal(statSync(site.file).mode & 0o777, 0o600);
  t.strictSame(readSites(config), { sites: [site], parked: [] }, 'what was checked is what is read');
  t.same(files(instance), ['a.example.toml'], 'and nothing else lies there');
});

t.test('nothing is written when anything is wrong', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example', 'aliases = ["www.a.example"]\n'));
  const config = instance.config();
  const good = { name: 'b.example', user: 'games', root: instance.root };
  const wrong: [object, { code: string; message?: RegExp }][] = [
    [
      { ...good, user: 'no-such-user' },
      { code: 'SITE_INVALID', message: /no-such-user/ },
    ],
    [
      { ...good, mode: 'pol' },
      { code: 'SITE_INVALID', message: /"pool" or "per-request"/ },
    ],
    [
      { ...good, max_worker: 1 },
      { code: 'SITE_INVALID', message: /max_workers/ },
    ],
    [
      { ...good, name: '../x' },
      { code: 'SITE_INVALID', message: /host name/ },
    ],
    [
      { ...good, name: 5 },
      { code: 'SITE_INVALID', message: /name/ },
    ],
    [
      { ...good, aliases: ['a.example'] },
      { code: 'SITE_INVALID', message: /"a.example" already/ },
    ],
    [
      { ...good, name: 'www.a.example' },
      { code: 'SITE_INVALID', message: /"www.a.example" already/ },
    ],
    [
      { ...good, key },
      { code: 'SITE_INVALID', message: /same key/ },
    ],
    [{ ...good, name: 'a.example' }, { code: 'SITE_EXISTS' }],
    [{ ...good, name: 'A.EXAMPLE' }, { code: 'SITE_EXISTS' }],
  ];
  for (const [table, error] of wrong) t.throws(() => addSite(config, { ...table }), error);
  t.same(files(instance), ['a.example.toml']);
});

t.test("a file that is there already is never overwritten, even if it is another site's", async (t) => {
  const instance = makeInstance(t);
  const file = instance.site('b.example.toml', siteText(instance, 'a.example'));
  const before = readFileSync(file, 'utf8');
  t.throws(() => addSite(instance.config(), { name: 'b.example', user: 'games', root: instance.root }), {
    code: 'SITE_EXISTS',
  });
  t.equal(readFileSync(file, 'utf8'), before);
  t.same(files(instance), ['b.example.toml']);
});

t.test('changes keep comments, and the group that may read the file', async (t) => {
  const instance = makeInstance(t);
  const file = instance.site(
    'a.example.toml',
    siteText(instance, 'a.example', '# mine\nmax_workers = 4\n[env]\nA = "1"\n'),
  );
  chownSync(file, 0, 60);
  chmodSync(file, 0o640);
  const site = changeSite(instance.config(), 'a.example', {
    set: { max_workers: 5, 'env.B': '2' },
    unset: ['env.A'],
  });
  t.match(site, { maxWorkers: 5, env: { B: '2' } });
  t.notOk('A' in site.env);
  t.match(statSync(file), { gid: 60, mode: 0o100640 });
  changeSite(instance.config(), 'a.example', { set: { spare: 0 }, unset: ['env', 'max_workers'] });
  t.match(readSites(instance.config()).sites, [{ spare: 0, maxWorkers: 8 }]);
});

t.test('a wrong change changes nothing', async (t) => {
  const instance = makeInstance(t);
  const file = instance.site('a.example.toml', siteText(instance, 'a.example'));
  instance.site('b.example.toml', siteText(instance, 'b.example', '', otherKey));
  const before = readFileSync(file, 'utf8');
  const config = instance.config();
  const change = (set: object) => () =>
    changeSite(config, 'a.example', { set: set as Record<string, unknown>, unset: [] });
  t.throws(change({ mode: 'pol' }), { code: 'SITE_INVALID' });
  t.throws(change({ aliases: ['b.example'] }), { code: 'SITE_INVALID', message: /already/ });
  t.throws(() => changeSite(config, 'a.example', { set: {}, unset: ['user'] }), {
    code: 'SITE_INVALID',
    message: /user is missing/,
  });
  t.throws(() => changeSite(config, 'none.example', { set: {}, unset: [] }), { code: 'SITE_UNKNOWN' });
  t.equal(readFileSync(file, 'utf8'), before);
  t.same(files(instance), ['a.example.toml', 'b.example.toml']);
});

t.test('a new key; the old one stays for its grace', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example', '# mine\n'));
  const config = instance.config();
  const first = changeSite(config, 'a.example', { set: {}, unset: [], rotateKey: { graceMs: 3_600_000 } });
  t.match(first.keys, [/^[0-9a-f]{64}$/, key]);
  t.not(first.keys[0], key);
  t.match(readFileSync(first.file, 'utf8'), /# mine/);
  const second = changeSite(config, 'a.example', { set: {}, unset: [], rotateKey: { graceMs: 0 } });
  t.same(second.keys.slice(1), [key], 'the middle one had no grace');
  t.equal(readSites(config).sites[0]?.keys[0], second.keys[0]);
});

t.test('a site without a key, parked for that, gets one by rotation', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example').replace(/key.*\n/, ''));
  const config = instance.config();
  t.equal(readSites(config).parked.length, 1);
  changeSite(config, 'a.example', { set: {}, unset: [], rotateKey: { graceMs: 0 } });
  t.equal(readSites(config).sites.length, 1);
});

t.test('removing takes the file, also of a parked site', async (t) => {
  const instance = makeInstance(t);
  const file = instance.site('10.toml', siteText(instance, 'a.example', 'aliases = ["www.a.example"]\n'));
  instance.site('b.example.toml', 'nonsense');
  const config = instance.config();
  t.throws(() => removeSite(config, 'www.a.example'), {
    code: 'SITE_UNKNOWN',
    detail: { remedy: 'it is an alias of a.example' },
  });
  t.equal(removeSite(config, 'a.example'), file);
  t.notOk(existsSync(file));
  removeSite(config, 'b.example');
  t.same(files(instance), []);
  t.throws(() => removeSite(config, 'a.example'), { code: 'SITE_UNKNOWN' });
});

t.test('a directory that cannot be written to is said', async (t) => {
  const instance = makeInstance(t);
  const config = {
    ...instance.config(),
    paths: { ...instance.config().paths, sites: join(instance.configFile, 'sites.d') },
  };
  t.throws(() => addSite(config, { name: 'a.example', user: 'games', root: instance.root }), {
    code: 'CONFIG_UNREADABLE',
  });
});
