import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkConfig, configFile, readClientConfig, readConfig } from '../../src/config/config.js';
import { makeInstance } from '../site/instance.js';

t.test('paths are relative to the directory of the file', async (t) => {
  const { directory, config } = makeInstance(t);
  t.match(config().paths, {
    run: join(directory, 'run'),
    state: join(directory, 'state'),
    log: join(directory, 'log'),
    sites: join(directory, 'sites.d'),
  });
});

t.test('everything has a default', async (t) => {
  const { directory } = makeInstance(t);
  const file = join(directory, 'empty.toml');
  writeFileSync(file, '', { mode: 0o644 });
  t.match(readClientConfig(file), {
    file,
    paths: { run: '/run/guise', state: '/var/lib/guise', log: '/var/log/guise', sites: '/etc/guise/sites.d' },
    router: { user: 'guise', webUsers: ['www-data'], count: 1, readTimeoutMs: 60_000 },
    limits: { drainTimeoutMs: 30_000 },
    minUid: 1000,
    minGid: 1000,
    control: {},
    defaults: {},
  });
  t.ok(readClientConfig(file).limits.maxWorkers >= 16);
});

t.test('which file is meant', async (t) => {
  const before = process.env.GUISE_CONFIG;
  t.teardown(() => {
    if (before === undefined) delete process.env.GUISE_CONFIG;
    else process.env.GUISE_CONFIG = before;
  });
  delete process.env.GUISE_CONFIG;
  t.equal(configFile(undefined), '/etc/guise/guise.toml');
  process.env.GUISE_CONFIG = '/tmp/from-environment.toml';
  t.equal(configFile(undefined), '/tmp/from-environment.toml');
  t.equal(configFile('/tmp/asked.toml'), '/tmp/asked.toml');
  t.throws(() => readConfig(undefined), {
    code: 'CONFIG_UNREADABLE',
    detail: { file: '/tmp/from-environment.toml' },
  });
});

t.test('every problem of the shape is told, with its line', async (t) => {
  const { directory } = makeInstance(t);
  const file = join(directory, 'bad.toml');
  const text = `[paths]
run = 5
[router]
countt = 2
web_users = []
max_head = "129K"
[limits]
max_workers = 0
drain_timeout = "soon"
[defaults]
name = "x"
mode = "pools"
max_worker = 3
[rooter]
user = "x"
`;
  writeFileSync(file, text, { mode: 0o644 });
  const { config, problems } = checkConfig(file);
  t.equal(config, undefined);
  const told = new Map(problems.map((problem) => [problem.line, problem]));
  t.match(told.get(2), {
    message: 'paths.run is of the wrong type',
    found: '5',
    remedy: /run = "\/run\/guise"/,
  });
  t.match(told.get(4), { message: 'unknown key "countt" in [router]', expected: /^count / });
  t.match(told.get(5), { message: 'router.web_users is too small', found: '[]' });
  t.match(told.get(6), { message: /^router.max_head is too large/, expected: 'a size from "8K" to "128K"' });
  t.match(told.get(8), {
    message: 'limits.max_workers is too small',
    expected: 'a whole number from 1 to 100000',
  });
  t.match(told.get(9), { message: /^limits.drain_timeout is not a duration/, found: '"soon"' });
  t.match(told.get(11), { message: 'unknown key "name" in [defaults]' }, 'a name is no default');
  t.match(told.get(12), { message: /^defaults.mode/, found: '"pools"', expected: '"pool" or "per-request"' });
  t.match(told.get(13), { message: 'unknown key "max_worker" in [defaults]', expected: /^max_workers / });
  t.match(told.get(14), { message: 'unknown key "rooter"', expected: /^router / });
  t.equal(problems.length, 10);
  t.throws(() => readConfig(file), { code: 'CONFIG_INVALID', message: /bad.toml:4: unknown key "countt"/ });
});

t.test('users and groups must exist', async (t) => {
  const { directory } = makeInstance(t);
  const file = join(directory, 'users.toml');
  const text =
    '[router]\nuser = "nobody-has-this"\nweb_users = ["www-data", "nor-this"]\n[control]\ngroup = "nor-that"\n';
  writeFileSync(file, text, { mode: 0o644 });
  const { config, problems } = checkConfig(file);
  t.ok(config, 'the shape is right, so a client can use it');
  t.match(problems, [
    { line: 2, message: /"nobody-has-this" does not exist/, remedy: /^useradd --system/ },
    { line: 3, message: /"nor-this" does not exist/ },
    { line: 5, message: /"nor-that" does not exist/, remedy: 'groupadd --system nor-that' },
  ]);
  t.equal(readClientConfig(file).router.user, 'nobody-has-this');
});

t.test('the router never runs as root', async (t) => {
  const { directory } = makeInstance(t);
  const file = join(directory, 'root.toml');
  writeFileSync(file, '[router]\nuser = "root"\n', { mode: 0o644 });
  t.match(checkConfig(file).problems, [{ line: 2, message: /must not run as root/ }]);
});

t.test('a directory of sites that others may write to is a problem', async (t) => {
  const { directory, configFile: file } = makeInstance(t);
  chmodSync(join(directory, 'sites.d'), 0o775);
  t.match(checkConfig(file).problems, [
    { message: /may write to/, remedy: `chmod go-w ${directory}/sites.d` },
  ]);
});

t.test('a run directory whose sockets could have no address is a problem', async (t) => {
  const { directory } = makeInstance(t);
  const file = join(directory, 'long.toml');
  writeFileSync(file, `[router]\nuser = "daemon"\n[paths]\nrun = "/${'r'.repeat(95)}"\n`, { mode: 0o644 });
  t.match(checkConfig(file).problems, [{ line: 4, message: /too long for the address of a socket/ }]);
});

t.test('the key of automatic sites is for root alone', async (t) => {
  const { directory } = makeInstance(t);
  const file = join(directory, 'auto.toml');
  const text = `[router]\nuser = "daemon"\n[auto]\nroots = ["/srv/*/www"]\nkey = "${'ab'.repeat(32)}"\n`;
  writeFileSync(file, text, { mode: 0o644 });
  t.match(checkConfig(file), {
    config: {},
    problems: [{ line: 5, message: /every user of this machine may read it/ }],
  });
  chmodSync(file, 0o640);
  t.same(checkConfig(file).problems, []);
});
