/** A new registry is applied by difference: what the handlers are told, and that nobody else is touched. */

import { mock } from 'node:test';
import fc from 'fast-check';
import t from 'tap';
import { keyHashes, routerSite } from '../../src/master/router-row.js';
import { isAutomaticId } from '../../src/master/site-set.js';
import { userByName } from '../../src/os/identity.js';
import type { Site } from '../../src/site/site.js';
import { descriptorCount } from '../os/running.js';
import { key } from '../site/instance.js';
import { SetRig } from './set-rig.js';

t.test('added, unchanged, changed, removed', (t) => {
  const rig = new SetRig(t);
  const [a, b] = [rig.site('a.test'), rig.site('b.test')];
  t.same(rig.apply(a, b), {
    calls: ['opened a.test 1', 'opened b.test 2'],
    difference: [['a.test', 'b.test'], [], [], 0],
  });
  const before = rig.sites.byId(1);
  t.same(rig.apply(structuredClone(b), structuredClone(a)), { calls: [], difference: [[], [], [], 2] });
  t.equal(rig.sites.byId(1), before, 'untouched');
  t.same(rig.apply(rig.site('a.test', { maxWorkers: 3 }), b), {
    calls: ['closed a.test 1', 'opened a.test 3'],
    difference: [[], ['a.test'], [], 1],
  });
  t.ok(before?.isClosing);
  t.equal(rig.sites.byId(1), undefined, 'it had no process');
  t.same(rig.apply(b), { calls: ['closed a.test 3', 'over a.test 3'], difference: [[], [], ['a.test'], 1] });
  t.same(rig.apply(), { calls: ['closed b.test 2', 'over b.test 2'], difference: [[], [], ['b.test'], 0] });
  t.same([...rig.sites.all()], []);
  t.end();
});

t.test('a site whose file gets another name lives on, with all that it has', (t) => {
  const rig = new SetRig(t);
  rig.apply(rig.site('a.test'));
  t.same(rig.apply(rig.site('a.test', { file: '/etc/guise/sites.d/01-a.toml' })).calls, [
    'closed a.test 1',
    'opened a.test 2',
  ]);
  t.end();
});

t.test('other keys end no worker', (t) => {
  const rig = new SetRig(t);
  const keyring = [{ key: 'ef'.repeat(32), untilMs: Infinity }];
  rig.apply(rig.site('a.test'));
  const before = rig.sites.byId(1);
  t.same(rig.apply(rig.site('a.test', { keyring, keys: ['ef'.repeat(32)] })), {
    calls: ['rekeyed a.test 1'],
    difference: [[], ['a.test'], [], 0],
  });
  t.equal(rig.sites.byId(1), before);
  t.notOk(before?.isClosing);
  t.same(before?.site.keyring, keyring);
  t.same(rig.apply(rig.site('a.test', { keyring, keys: ['ef'.repeat(32)], spare: 5 })).calls, [
    'closed a.test 1',
    'opened a.test 2',
  ]);
  const direct = { dispatch: 'direct', socket: 'own' } as const;
  rig.apply(rig.site('a.test', direct));
  t.match(
    rig.apply(rig.site('a.test', { ...direct, keyring })).calls,
    ['closed a.test 3', 'opened a.test 4 with a socket'],
    'but where workers look at the keys themselves',
  );
  t.end();
});

t.test('a key that runs out is told when it does', (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  t.teardown(() => mock.timers.reset());
  const rig = new SetRig(t);
  const old = (untilMs: number) => [
    { key, untilMs: Infinity },
    { key: 'cd'.repeat(32), untilMs },
  ];
  rig.apply(
    rig.site('a.test', { keyring: old(1_060_000) }),
    rig.site('b.test', { keyring: old(1_090_000) }),
    rig.site('c.test'),
  );
  rig.apply(...[...rig.sites.all()].map(({ site }) => site));
  rig.calls.length = 0;
  t.equal(keyHashes(rig.sites.byId(1)?.site ?? rig.base).length, 2);
  mock.timers.tick(59_000);
  t.same(rig.calls, []);
  mock.timers.tick(1000);
  t.same(rig.calls, ['rekeyed a.test 1', 'rekeyed b.test 2'], 'sites with one key are not concerned');
  t.equal(keyHashes(rig.sites.byId(1)?.site ?? rig.base).length, 1);
  mock.timers.tick(30_000);
  t.same(rig.calls.length, 4, 'and again for the next one');
  mock.timers.tick(10_000_000);
  t.same(rig.calls.length, 4, 'then never more');
  rig.apply(rig.site('a.test', { keyring: old(1_000_000 + 40 * 86_400_000) }));
  rig.calls.length = 0;
  mock.timers.tick(1000);
  t.same(rig.calls, [], 'a time beyond what a timer can hold does not fire at once');
  t.end();
});

t.test('a site keeps its own socket while it changes', (t) => {
  const rig = new SetRig(t);
  const before = descriptorCount();
  const own = { socket: 'own' } as const;
  t.same(rig.apply(rig.site('a.test', own)).calls, [
    'listen /run/guise/sites/a.test.sock',
    'opened a.test 1 with a socket',
  ]);
  const fd = rig.sites.listenerOf('a.test');
  t.same(rig.apply(rig.site('a.test', { ...own, maxWorkers: 3 })).calls, [
    'closed a.test 1',
    'opened a.test 2 with a socket',
  ]);
  t.equal(rig.sites.listenerOf('a.test'), fd, 'and the connections that wait there');
  t.same(rig.apply(rig.site('a.test', { ...own, dispatch: 'direct' })).calls, [
    'closed a.test 2',
    'unlink /run/guise/sites/a.test.sock',
    'listen /run/guise/sites/a.test.sock',
    'opened a.test 3 with a socket',
  ]);
  t.same(rig.apply(rig.site('a.test')).calls, [
    'closed a.test 3',
    'unlink /run/guise/sites/a.test.sock',
    'opened a.test 4',
  ]);
  t.equal(rig.sites.listenerOf('a.test'), -1);
  rig.apply(rig.site('a.test', own));
  t.match(rig.apply().calls, ['closed a.test 5', 'over a.test 5', 'unlink /run/guise/sites/a.test.sock']);
  rig.apply(rig.site('b.test', own));
  rig.sites.closeAll();
  t.same(rig.calls.at(-1), 'unlink /run/guise/sites/b.test.sock');
  t.equal(descriptorCount(), before, 'none is left open');
  t.end();
});

t.test('visitors of a site have sites of their own', (t) => {
  const rig = new SetRig(t);
  const man = userByName('man');
  if (man === undefined) throw new Error('no user man');
  const site = rig.site('a.test', { visitors: { carol: man, dave: man } });
  t.same(rig.apply(site).calls, ['opened a.test+man 1', 'opened a.test 2']);
  const hidden = rig.sites.byId(1)?.site ?? rig.base;
  t.match(routerSite(hidden, 100), { isHidden: true, keyHashes: [], aliases: [], ownSocket: false });
  t.same(routerSite(site, 100).visitors, { carol: 'a.test+man', dave: 'a.test+man' });
  t.notMatch(JSON.stringify(routerSite(site, 100)), key, 'no key as such');
  t.notMatch(JSON.stringify(routerSite(site, 100)), rig.base.root, 'and no path');
  t.same(rig.apply(rig.site('a.test')).difference, [[], ['a.test'], ['a.test+man'], 0]);
  t.end();
});

t.test('a change of one site is applied without a look at the others', (t) => {
  const rig = new SetRig(t);
  const [a, b, c] = ['a.test', 'b.test', 'c.test'].map((name) => rig.site(name)) as [Site, Site, Site];
  rig.apply(a, b);
  const apply = (before: Site[], after: Site[]) => {
    rig.calls.length = 0;
    const { added, changed, removed } = rig.sites.applyChange({ before, after });
    return { calls: [...rig.calls], difference: [added, changed, removed] };
  };
  t.same(apply([], [c]), { calls: ['opened c.test 3'], difference: [['c.test'], [], []] });
  const other = rig.site('b.test', { maxWorkers: 3 });
  t.same(apply([b], [other]), {
    calls: ['closed b.test 2', 'opened b.test 4'],
    difference: [[], ['b.test'], []],
  });
  t.same(apply([other], [rig.site('b.test', { maxWorkers: 3 })]), { calls: [], difference: [[], [], []] });
  t.same(apply([other], []), {
    calls: ['closed b.test 4', 'over b.test 4'],
    difference: [[], [], ['b.test']],
  });
  t.same(
    [...rig.sites.all()].map(({ id }) => id),
    [1, 3],
  );
  t.end();
});

t.test('automatic sites have the numbers that the router gives', (t) => {
  const rig = new SetRig(t);
  const id = 0x8000_0001;
  t.ok(isAutomaticId(id));
  t.notOk(isAutomaticId(0x7fff_ffff));
  let made = 0;
  const make = () => {
    made++;
    return rig.site('~alice');
  };
  const runtime = rig.sites.automatic(id, make);
  t.equal(rig.sites.automatic(id, make), runtime);
  t.equal(made, 1);
  rig.apply(rig.site('a.test'));
  t.equal(rig.sites.byId(id), runtime, 'a reload does not concern it');
  rig.calls.length = 0;
  rig.sites.sweep(runtime);
  t.same(rig.calls, [`closed ~alice ${id}`]);
  t.equal(rig.sites.byId(id), undefined);
  t.throws(() =>
    rig.sites.automatic(id, () => {
      throw new Error('refused');
    }),
  );
  t.equal(rig.sites.byId(id), undefined, 'one that is refused leaves no row');
  t.end();
});

t.test('whatever the registries are, the last one is in force', (t) => {
  const entry = fc.record({
    name: fc.constantFrom('a.test', 'b.test', 'c.test', 'd.test'),
    maxWorkers: fc.integer({ min: 1, max: 2 }),
    socket: fc.constantFrom('own', 'shared'),
    keys: fc.constantFrom([], ['x']),
  });
  const registry = fc.uniqueArray(entry, { selector: ({ name }) => name });
  fc.assert(
    fc.property(fc.array(registry, { maxLength: 8 }), (registries) => {
      const rig = new SetRig(t);
      const numbers = new Set<number>();
      let open = 0;
      for (const entries of registries) {
        const before = new Map([...rig.sites.all()].map((runtime) => [runtime.site.name, runtime]));
        const { calls, difference } = rig.apply(...entries.map(({ name, ...more }) => rig.site(name, more)));
        const [added, changed, removed, unchanged] = difference as [string[], string[], string[], number];
        for (const call of calls.filter((text) => text.startsWith('opened'))) {
          const number = Number(call.split(' ')[2]);
          if (numbers.has(number)) throw new Error(`number ${number} is used again`);
          numbers.add(number);
        }
        open += calls.filter((text) => text.startsWith('opened')).length;
        open -= calls.filter((text) => text.startsWith('closed')).length;
        const after = [...rig.sites.all()];
        t.same(after.map(({ site }) => site.name).sort(), entries.map(({ name }) => name).sort());
        t.equal(open, after.length, 'each is opened and closed once');
        t.equal(added.length + changed.length + unchanged, entries.length);
        t.equal(changed.length + removed.length + unchanged, before.size);
        for (const runtime of after) {
          const { name, maxWorkers, socket } = runtime.site;
          const wanted = entries.find((one) => one.name === name);
          t.match({ maxWorkers, socket }, { maxWorkers: wanted?.maxWorkers, socket: wanted?.socket });
          if (calls.every((call) => !call.includes(name))) t.equal(before.get(name), runtime);
          t.equal(rig.sites.listenerOf(name) >= 0, socket === 'own');
        }
      }
      rig.sites.closeAll();
    }),
    { numRuns: 60 },
  );
  t.end();
});
