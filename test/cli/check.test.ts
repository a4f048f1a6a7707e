import { writeFileSync } from 'node:fs';
import t from 'tap';
import { makeInstance, otherKey, siteText } from '../site/instance.js';
import { run } from './run.js';

t.test('all is well', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example'));
  t.same(await run('check', '-c', instance.configFile), {
    code: 0,
    out: `${instance.configFile}: no problem, 1 site fine`,
    err: '',
  });
});

t.test('problems are printed as a compiler does, all of them', async (t) => {
  const instance = makeInstance(t, '[control]\ngroup = "no-such-group"\n');
  const bad = instance.site('a.example.toml', siteText(instance, 'a.example', 'max_worker = 3\n'));
  instance.site('b.example.toml', siteText(instance, 'b.example', '', otherKey));
  const { code, out } = await run('check', '-c', instance.configFile);
  t.equal(code, 1);
  t.match(out, `${bad}:5: unknown key "max_worker"\n    found:    max_worker\n    expected: max_workers`);
  t.match(out, `${instance.configFile}:12: the group "no-such-group" does not exist`);
  t.match(out, /2 problems, 1 site parked, 1 site fine$/);
});

t.test('a main file of the wrong shape', async (t) => {
  const instance = makeInstance(t);
  writeFileSync(instance.configFile, '[limits]\nmax_worker = 1\n');
  t.match(await run('check', '-c', instance.configFile), {
    code: 1,
    out: /guise.toml:2: unknown key "max_worker" in \[limits\]/,
  });
});

t.test('as JSON', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example'));
  instance.site('b.example.toml', 'nonsense');
  const { code, out } = await run('check', '--json', '-c', instance.configFile);
  t.equal(code, 1);
  t.match(JSON.parse(out), {
    ok: false,
    sites: ['a.example'],
    parked: ['b.example'],
    problems: [{ line: 1, file: /b.example.toml/ }],
  });
});
