/** Changes of single sites applied to what is known of all: the same result as reading everything, without doing so. */

import { mkdirSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { LastGood } from '../../src/site/last-good.js';
import { SiteCatalog } from '../../src/site/registry.js';
import { addSite, changeSite, removeSite } from '../../src/site/write.js';
import { countFileCalls } from '../harness/file-calls.js';
import { type Instance, makeInstance, otherKey, siteText } from './instance.js';

const keyOf = (number: number): string => number.toString(16).padStart(64, '0');

t.test('reading one site again leaves the others alone', async (t) => {
  const instance = makeInstance(t);
  const first = instance.site('10.toml', siteText(instance, 'a.example'));
  instance.site('20.toml', siteText(instance, 'a.example', '', otherKey));
  instance.site('30.toml', siteText(instance, 'c.example', '', '3'.repeat(64)));
  const config = instance.config();
  const catalog = SiteCatalog.read(config);
  const [before, third] = catalog.sites;
  instance.site('10.toml', siteText(instance, 'a.example', 'spare = 3\n'));
  // Whoever looks at this file now would see a site that is parked.
  instance.site('30.toml', 'nonsense');
  const changed = catalog.reread(config, 'a.example');
  t.match(catalog, { sites: [{ name: 'a.example', spare: 3 }, {}], parked: [{ file: /20.toml/ }] });
  t.match(changed, { before: [before], after: [{ spare: 3 }] });
  t.equal(changed.after.length, 1);
  t.equal(catalog.sites[1], third);
  rmSync(first);
  catalog.reread(config, 'a.example');
  t.match(
    catalog,
    { sites: [{ name: 'a.example', file: /20.toml/, spare: 1 }, {}], parked: [] },
    'the name is free',
  );
  const [heir] = catalog.sites;
  instance.site('d.example.toml', siteText(instance, 'd.example', '', '4'.repeat(64)));
  t.match(catalog.reread(config, 'd.example'), { before: [], after: [{ name: 'd.example' }] });
  t.same(
    catalog.sites.map((site) => site.name),
    ['a.example', 'c.example', 'd.example'],
  );
  t.equal(catalog.sites[0], heir);
});

t.test('whatever happens to files one by one, the result is that of reading all', async (t) => {
  const file = fc.constantFrom('a', 'b', 'c', 'd');
  const content = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    alias: fc.constantFrom('a', 'b', 'x', undefined),
    key: fc.nat(3),
    isGood: fc.boolean(),
  });
  const change = fc.record({ file, content: fc.option(content, { freq: 3 }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const instance = makeInstance(t);
      const config = instance.config();
      const catalog = SiteCatalog.read(config);
      for (const { file, content } of changes) {
        if (content === null) rmSync(`${config.paths.sites}/${file}.toml`, { force: true });
        else write(instance, file, content);
        catalog.reread(config, file);
        const { sites, parked } = SiteCatalog.read(config);
        t.strictSame({ sites: catalog.sites, parked: catalog.parked }, { sites, parked });
        for (const site of sites) if (catalog.named(site.name)?.file !== site.file) return false;
      }
      return true;
    }),
    { numRuns: 60 },
  );
});

interface Content {
  readonly name: string;
  readonly alias: string | undefined;
  readonly key: number;
  readonly isGood: boolean;
}

function write(instance: Instance, file: string, { name, alias, key, isGood }: Content): void {
  const aliases = alias === undefined ? '' : `aliases = ["${alias}"]\n`;
  const more = `${aliases}${isGood ? '' : 'mode = "none"\n'}`;
  instance.site(`${file}.toml`, siteText(instance, name, more, keyOf(key)));
}

t.test('so it is with what files said before they became wrong', async (t) => {
  const change = fc.record({
    file: fc.constantFrom('a', 'b', 'c'),
    content: fc.option(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        alias: fc.constantFrom('a', 'x', undefined),
        key: fc.nat(2),
        isGood: fc.boolean(),
      }),
      { freq: 4 },
    ),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const instance = makeInstance(t);
      const config = instance.config();
      const catalog = SiteCatalog.read(config, new LastGood());
      const past = new LastGood();
      for (const { file, content } of changes) {
        if (content === null) rmSync(`${config.paths.sites}/${file}.toml`, { force: true });
        else write(instance, file, content);
        catalog.reread(config, file);
        const { sites, parked, kept } = SiteCatalog.read(config, past);
        t.strictSame(
          { sites: catalog.sites, parked: catalog.parked, kept: catalog.kept },
          { sites, parked, kept },
        );
        for (const site of sites) if (catalog.named(site.name)?.file !== site.file) return false;
      }
      return true;
    }),
    { numRuns: 60 },
  );
});

t.test('what a change costs does not depend on how many sites there are', async (t) => {
  const counts = [5, 100].map((sites) => {
    const instance = makeInstance(t);
    for (let n = 0; n < sites; n++) {
      instance.site(`s${n}.example.toml`, siteText(instance, `s${n}.example`, '', keyOf(n)));
    }
    const config = instance.config();
    const catalog = SiteCatalog.read(config);
    const table = { name: 'new.example', root: instance.root, user: 'games' };
    const calls = countFileCalls(() => {
      addSite(config, table, catalog);
      t.match(catalog.reread(config, 'new.example').after, [{ name: 'new.example' }]);
      changeSite(config, 'new.example', { set: { spare: 2 }, unset: [] }, catalog);
      t.match(catalog.reread(config, 'new.example').after, [{ spare: 2 }]);
      removeSite(config, 'new.example', catalog);
      t.match(catalog.reread(config, 'new.example'), { before: [{ name: 'new.example' }], after: [] });
    });
    t.ok((calls.openSync ?? 0) > 3, 'they are counted');
    return calls;
  });
  t.same(counts[0], counts[1]);
});

t.test('nothing is refused for the sake of what a daemon believes of files that have changed', async (t) => {
  const instance = makeInstance(t);
  const old = instance.site('a.example.toml', siteText(instance, 'a.example', 'aliases = ["b.example"]\n'));
  const config = instance.config();
  const catalog = SiteCatalog.read(config);
  rmSync(old);
  const table = { name: 'a.example', root: instance.root, user: 'games' };
  t.match(addSite(config, table, catalog), { name: 'a.example' }, 'its name is free');
  removeSite(config, 'a.example', catalog);
  t.match(addSite(config, { ...table, name: 'b.example' }, catalog), { name: 'b.example' }, 'its alias is');
  t.match(changeSite(config, 'b.example', { set: { spare: 2 }, unset: [] }, catalog), { spare: 2 });
  t.throws(() => addSite(config, { ...table, name: 'b.example' }, catalog), { code: 'SITE_EXISTS' });
  t.throws(() => removeSite(config, 'a.example', catalog), { code: 'SITE_UNKNOWN' });
  catalog.reread(config, 'b.example');
  t.match(catalog.sites, [{ name: 'b.example' }], 'and what is gone, is gone');
  t.equal(catalog.sites.length, 1);
  mkdirSync(`${config.paths.sites}/c.example.toml`);
  catalog.reread(config, 'c.example');
  t.match(catalog.parked, [{ name: 'c.example' }]);
});
