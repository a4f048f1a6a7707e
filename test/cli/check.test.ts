import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { userByName } from '../../src/os/identity.js';
import { close, listenUnix } from '../../src/os/socket.js';
import { makeInstance, otherKey, siteText } from '../site/instance.js';
import { run as cli } from './run.js';

const groupNote =
  'what a site starts is found by its processes: guise does not run, and it is its own group that counts';

t.test('all is well', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example'));
  t.same(await cli('check', '-c', instance.configFile), {
    code: 0,
    out: `${instance.configFile}: no problem, 1 site fine\nnote: ${groupNote}`,
    err: '',
  });
});

t.test('problems are printed as a compiler does, all of them', async (t) => {
  const instance = makeInstance(t, '[control]\ngroup = "no-such-group"\n');
  const bad = instance.site('a.example.toml', siteText(instance, 'a.example', 'max_worker = 3\n'));
  instance.site('b.example.toml', siteText(instance, 'b.example', '', otherKey));
  const { code, out } = await cli('check', '-c', instance.configFile);
  t.equal(code, 1);
  t.match(out, `${bad}:5: unknown key "max_worker"\n    found:    max_worker\n    expected: max_workers`);
  t.match(out, `${instance.configFile}:12: the group "no-such-group" does not exist`);
  t.match(out, /2 problems, 1 site parked, 1 site fine$/m);
});

t.test('a main file of the wrong shape', async (t) => {
  const instance = makeInstance(t);
  writeFileSync(instance.configFile, '[limits]\nmax_worker = 1\n');
  t.match(await cli('check', '-c', instance.configFile), {
    code: 1,
    out: /guise.toml:2: unknown key "max_worker" in \[limits\]/,
  });
});

t.test(
  "directories that are not root's alone, and sockets that are not as the daemon made them",
  async (t) => {
    const instance = makeInstance(t);
    const run = `${instance.directory}/run`;
    const socket = `${run}/guise.sock`;
    const problems = async () => {
      const { code, out } = await cli('check', '-c', instance.configFile);
      return { code, out: out.replaceAll(instance.directory, 'DIR') };
    };
    mkdirSync(run);
    t.match(await problems(), { code: 0 });
    chmodSync(run, 0o777);
    t.match(await problems(), {
      code: 1,
      out: 'DIR/guise.toml:2: others than its owner may write to DIR/run\n    found:    mode 0777',
    });
    chmodSync(run, 0o755);
    chownSync(instance.directory, 64_952, 0);
    t.match(await problems(), { code: 1, out: /guise.toml:3: DIR, on the way to DIR\/state, belongs/ });
    chownSync(instance.directory, 0, 0);

    const fd = listenUnix(socket, 1);
    t.teardown(() => close(fd));
    const www = userByName('www-data')?.uid ?? -1;
    chownSync(socket, www, 0);
    t.match(await problems(), { code: 0 });
    chmodSync(socket, 0o666);
    t.match(await problems(), { code: 1, out: 'remedy:   chmod 0600 DIR/run/guise.sock' });
    chmodSync(socket, 0o600);
    chownSync(socket, 64_952, 0);
    t.match(await problems(), { code: 1, out: `remedy:   chown ${www}:0 DIR/run/guise.sock` });
  },
);

t.test('as JSON', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example'));
  instance.site('b.example.toml', 'nonsense');
  const { code, out } = await cli('check', '--json', '-c', instance.configFile);
  t.equal(code, 1);
  t.match(JSON.parse(out), {
    ok: false,
    sites: ['a.example'],
    parked: ['b.example'],
    problems: [{ line: 1, file: /b.example.toml/ }],
  });
});
