import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LastGood } from '../../src/site/last-good.js';
import { readSites, SiteCatalog } from '../../src/site/registry.js';
import { makeInstance, otherKey, siteText } from './instance.js';

t.test('one bad file never stops the others', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example'));
  instance.site('b.example.toml', 'nonsense');
  instance.site('c.example.toml', siteText(instance, 'c.example', '', otherKey));
  symlinkSync('/etc/passwd', join(instance.directory, 'sites.d', 'd.example.toml'));
  mkdirSync(join(instance.directory, 'sites.d', 'e.example.toml'));
  const { sites, parked } = readSites(instance.config());
  t.same(
    sites.map((site) => site.name),
    ['a.example', 'c.example'],
  );
  t.same(
    parked.map((site) => site.name),
    ['b.example', 'd.example', 'e.example'],
  );
});

t.test('of two sites with one name, alias or key the first by file name stays', async (t) => {
  const instance = makeInstance(t);
  instance.site('10.toml', siteText(instance, 'a.example', 'aliases = ["www.a.example"]\n'));
  const second = instance.site('20.toml', siteText(instance, 'a.example', '', otherKey));
  const third = instance.site(
    '30.toml',
    siteText(instance, 'c.example', 'aliases = ["x.example", "WWW.a.example"]\n', otherKey),
  );
  const fourth = instance.site('40.toml', siteText(instance, 'd.example'));
  const { sites, parked } = readSites(instance.config());
  t.same(
    sites.map((site) => site.name),
    ['a.example'],
  );
  t.match(parked, [
    {
      file: second,
      problems: [{ line: 1, message: 'another site has the name "a.example" already', found: /10.toml/ }],
    },
    { file: third, problems: [{ line: 5, message: 'another site has the name "www.a.example" already' }] },
    { file: fourth, problems: [{ line: 4, message: 'another site has the same key already' }] },
  ]);
});

t.test('a parked site takes no name away', async (t) => {
  const instance = makeInstance(t);
  instance.site('10.toml', siteText(instance, 'a.example', 'mode = "wrong"\n'));
  instance.site('20.toml', siteText(instance, 'a.example'));
  t.same(
    readSites(instance.config()).sites.map((site) => site.file),
    [join(instance.directory, 'sites.d/20.toml')],
  );
});

t.test('only *.toml counts, and no hidden file', async (t) => {
  const instance = makeInstance(t);
  for (const name of ['a.toml~', '.b.toml', 'c.toml.bak', 'README', '#d.toml#'])
    instance.site(name, 'nonsense');
  t.same(readSites(instance.config()), { sites: [], parked: [] });
});

t.test('a missing directory holds no sites; one that cannot be listed is an error', async (t) => {
  const instance = makeInstance(t);
  const config = instance.config();
  rmSync(config.paths.sites, { recursive: true });
  t.same(readSites(config), { sites: [], parked: [] });
  writeFileSync(config.paths.sites, '');
  t.throws(() => readSites(config), { code: 'CONFIG_UNREADABLE' });
});

t.test('a thousand sites are read in a moment', async (t) => {
  const instance = makeInstance(t);
  for (let index = 0; index < 1000; index++) {
    instance.site(
      `s${index}.example.toml`,
      siteText(instance, `s${index}.example`, '', index.toString(16).padStart(64, '0')),
    );
  }
  const config = instance.config();
  const start = performance.now();
  t.equal(readSites(config).sites.length, 1000);
  t.ok(performance.now() - start < 5000);
});

t.test('a file that becomes wrong keeps its site as it was', async (t) => {
  const instance = makeInstance(t);
  const file = instance.site('a.example.toml', siteText(instance, 'a.example', 'spare = 3\n'));
  instance.site('b.example.toml', siteText(instance, 'b.example', '', otherKey));
  const config = instance.config();
  const past = new LastGood();
  const first = SiteCatalog.read(config, past);
  t.same(first.kept, []);
  instance.site('a.example.toml', `${siteText(instance, 'a.example')}spare = "many"\n`);
  const sites = first.sites;
  t.match(first.reread(config, 'a.example').kept, [{ name: 'a.example', file }]);
  for (const now of [SiteCatalog.read(config, past), first]) {
    t.same(now.sites, sites);
    t.match(now, { parked: [], kept: [{ name: 'a.example', file, problems: [{ file, line: 5 }] }] });
  }
  const wrong = SiteCatalog.read(config, past);
  t.same(wrong.reread(config, 'b.example').kept, [], 'it is said once');
  t.match(wrong.kept, [{ name: 'a.example' }], 'and not forgotten');
  t.match(readSites(config).parked, [{ name: 'a.example' }], 'whoever has not seen it right knows nothing');

  instance.site('a.example.toml', siteText(instance, 'a.example', 'spare = 4\n'));
  wrong.reread(config, 'b.example');
  const mended = wrong;
  t.match(mended, { sites: [{ spare: 4 }, {}], parked: [] }, 'mended, it is read when anything is');
  t.same(mended.kept, []);
  rmSync(file);
  t.equal(SiteCatalog.read(config, past).sites.length, 1);
  instance.site('a.example.toml', 'nonsense');
  t.match(SiteCatalog.read(config, past).parked, [{ file }], 'a file that had gone has no past');
});

t.test('what must not run today does not run on', async (t) => {
  const instance = makeInstance(t);
  instance.site('b.example.toml', siteText(instance, 'b.example', 'aliases = ["c.example"]\n'));
  const past = new LastGood();
  const config = instance.config();
  SiteCatalog.read(config, past);
  instance.site('b.example.toml', 'nonsense');
  t.match(SiteCatalog.read({ ...config, minUid: 60_000 }, past), {
    sites: [],
    parked: [{ name: 'b.example' }],
  });
  instance.site('a.example.toml', siteText(instance, 'a.example', 'aliases = ["c.example"]\n', otherKey));
  const now = SiteCatalog.read(config, past);
  t.match(now, { sites: [{ name: 'a.example' }], parked: [{ name: 'b.example' }] }, 'nor what would be two');
  t.same(now.kept, []);
});
