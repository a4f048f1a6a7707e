import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Problem } from '../../src/config/problem.js';
import { builtInDefaults } from '../../src/site/defaults.js';
import { readSiteFile } from '../../src/site/read.js';
import type { Site } from '../../src/site/site.js';
import { type Instance, key, makeInstance, otherKey, siteText } from './instance.js';

function siteOf(instance: Instance, file: string): Site | undefined {
  const reading = readSiteFile(instance.config(), file);
  return 'site' in reading ? reading.site : undefined;
}

function problemsOf(instance: Instance, text: string, mode?: number): readonly Problem[] {
  const reading = readSiteFile(instance.config(), instance.site('bad.example.toml', text, mode));
  return 'parked' in reading ? reading.parked.problems : [];
}

t.test('a small site gets every default', async (t) => {
  const instance = makeInstance(t);
  const file = instance.site('a.example.toml', siteText(instance, 'a.example'));
  t.match(siteOf(instance, file), {
    name: 'a.example',
    aliases: [],
    file,
    root: instance.root,
    realRoot: instance.root,
    user: { name: 'games', uid: 5, gid: 60 },
    mode: 'pool',
    socket: 'shared',
    dispatch: 'router',
    php: '/usr/bin/php-cgi',
    keys: [key],
    keyRequired: true,
    maxWorkers: 8,
    timeLimitMs: 120_000,
    suffixes: ['.php'],
    trustedOwners: [],
    umask: 0o022,
    limits: builtInDefaults.limits,
  });
});

t.test('every key is read, in its unit', async (t) => {
  const instance = makeInstance(t);
  const more = `aliases = ["WWW.A.example", "b.example"]
mode = "per-request"
socket = "own"
old_keys = [{ key = "${otherKey}", until = 2099-01-01T00:00:00Z }, { key = "${'ef'.repeat(32)}", until = 2001-01-01T00:00:00Z }]
max_workers = 3
max_requests = 0
spare = 2
time_limit = "5m"
idle_timeout = 2.5
queue_length = 7
queue_timeout = "750ms"
max_body = "2G"
suffixes = [".php", ".phtml"]
trusted_owners = ["root", "mail"]
umask = "027"
[env]
APP = "x y"
[php_ini.set]
memory_limit = "64M"
display_errors = false
max_input_vars = 5
[php_ini.lock]
"session.gc_maxlifetime" = 100
[limits]
nofile = 100
cpu = "1500ms"
as = "1G"
`;
  t.match(siteOf(instance, instance.site('a.example.toml', siteText(instance, 'A.Example', more))), {
    name: 'a.example',
    aliases: ['www.a.example', 'b.example'],
    mode: 'per-request',
    socket: 'own',
    keys: [key, otherKey],
    keyring: [
      { key, untilMs: Number.POSITIVE_INFINITY },
      { key: otherKey, untilMs: Date.UTC(2099, 0, 1) },
    ],
    maxWorkers: 3,
    maxRequests: 0,
    spare: 2,
    timeLimitMs: 300_000,
    idleTimeoutMs: 2500,
    queueLength: 7,
    queueTimeoutMs: 750,
    maxBodyBytes: 2 * 1024 ** 3,
    suffixes: ['.php', '.phtml'],
    trustedOwners: ['root', 'mail'],
    trustedUids: [0, 8],
    umask: 0o027,
    env: { APP: 'x y' },
    phpIni: {
      set: { memory_limit: '64M', display_errors: '0', max_input_vars: '5' },
      lock: { 'session.gc_maxlifetime': '100' },
    },
    limits: { nofile: 100, cpu: 2, as: 1024 ** 3, core: 0, nproc: builtInDefaults.limits.nproc },
  });
});

t.test('[defaults] hold where the site says nothing, and tables are merged', async (t) => {
  const instance = makeInstance(
    t,
    '[defaults]\nmode = "per-request"\nmax_workers = 2\n[defaults.env]\nA = "1"\nB = "1"\n[defaults.limits]\nnproc = 50\n',
  );
  const file = instance.site(
    'a.example.toml',
    siteText(instance, 'a.example', 'max_workers = 4\n[env]\nB = "2"\n'),
  );
  t.match(siteOf(instance, file), {
    mode: 'per-request',
    maxWorkers: 4,
    env: { A: '1', B: '2' },
    limits: { nproc: 50, core: 0 },
  });
});

t.test('what is wrong with the shape is told with its line and what mends it', async (t) => {
  const instance = makeInstance(t);
  const text = siteText(
    instance,
    'bad.example',
    'max_worker = 3\nmode = "pol"\nmax_workers = "ten"\ntime_limit = "soon"\numask = 22\naliases = ["ok.example", "not ok"]\n[env]\nLD_PRELOAD = "x"\n',
  );
  const lines = new Map(problemsOf(instance, text).map((problem) => [problem.line, problem]));
  t.match(lines.get(5), { message: 'unknown key "max_worker"', expected: /^max_workers / });
  t.match(lines.get(6), {
    found: '"pol"',
    expected: '"pool" or "per-request"',
    remedy: 'write for example: mode = "pool"',
  });
  t.match(lines.get(7), { message: 'max_workers is of the wrong type', found: '"ten"' });
  t.match(lines.get(8), { message: /^time_limit is not a duration/ });
  t.match(lines.get(9), { message: 'umask is of the wrong type', expected: 'three octal digits in quotes' });
  t.match(lines.get(10), { message: 'aliases.1 is not a host name that guise can use', found: '"not ok"' });
  t.match(lines.get(12), { message: /LD_PRELOAD/ });
});

t.test('what is missing is told with the line to add', async (t) => {
  const instance = makeInstance(t);
  t.match(problemsOf(instance, 'name = "bad.example"\n'), [
    { message: 'root is missing', remedy: 'add the line: root = "/home/alice/www"' },
    { message: 'user is missing', remedy: 'add the line: user = "alice"' },
  ]);
});

t.test('users', async (t) => {
  const instance = makeInstance(t);
  const withUser = (user: string) =>
    problemsOf(instance, siteText(instance, 'bad.example').replace('games', user));
  t.match(withUser('no-such-user'), [
    { line: 3, message: /does not exist/, remedy: 'useradd --create-home no-such-user' },
  ]);
  t.match(withUser('root'), [{ line: 3, message: 'a site never runs as root' }]);
  t.match(withUser('daemon'), [{ line: 3, message: "this user is the router's own" }]);
  t.match(withUser('www-data'), [{ line: 3, message: /web server's own/ }]);
  t.equal(withUser('games').length, 0);
});

t.test('floors of uid and gid', async (t) => {
  const instance = makeInstance(t);
  writeFileSync(instance.configFile, '[router]\nuser = "daemon"\n[limits]\nmin_uid = 6\nmin_gid = 61\n');
  const text = siteText(instance, 'bad.example');
  t.match(problemsOf(instance, text), [
    { message: /the uid of this user/, found: 'uid 5', expected: 'uid 6 or above' },
  ]);
  writeFileSync(instance.configFile, '[router]\nuser = "daemon"\n[limits]\nmin_uid = 5\nmin_gid = 61\n');
  t.match(problemsOf(instance, text), [
    { message: /the gid of this user/, found: 'gid 60', remedy: /lower min_gid/ },
  ]);
});

t.test('roots', async (t) => {
  const instance = makeInstance(t);
  const file = join(instance.directory, 'file');
  writeFileSync(file, '');
  const withRoot = (root: string) =>
    problemsOf(instance, siteText(instance, 'bad.example').replace(instance.root, root));
  t.match(withRoot(`${instance.directory}/none`), [
    { line: 2, found: 'no such directory', remedy: /^install -d -o games/ },
  ]);
  t.match(withRoot(file), [{ line: 2, message: /is no directory/ }]);
  t.match(withRoot('/'), [{ line: 2, message: /whole file system/ }]);
  t.match(withRoot('www'), [{ line: 2, message: 'root is not an absolute path' }]);
});

t.test('PHP, trusted owners, dispatch and the key', async (t) => {
  const instance = makeInstance(t);
  const withMore = (more: string) => problemsOf(instance, siteText(instance, 'bad.example', more));
  t.match(withMore('php = "/usr/bin/no-php"\n'), [
    { line: 5, message: 'there is no PHP at /usr/bin/no-php' },
  ]);
  t.match(withMore('trusted_owners = ["root", "no-such-user"]\n'), [{ line: 5, message: /does not exist/ }]);
  t.match(withMore('dispatch = "direct"\n'), [{ line: 5, remedy: 'socket = "own"' }]);
  t.same(withMore('dispatch = "direct"\nsocket = "own"\n'), []);
  const keyless = siteText(instance, 'bad.example').replace(/key.*\n/, '');
  t.match(problemsOf(instance, keyless), [
    { message: /has no key/, remedy: 'guise site set bad.example --rotate-key' },
  ]);
  t.equal(problemsOf(instance, `${keyless}key_required = false\n`).length, 0);
});

t.test('a file with a key is for root alone', async (t) => {
  const instance = makeInstance(t);
  const text = siteText(instance, 'bad.example');
  t.match(problemsOf(instance, text, 0o644), [
    { line: 4, message: /every user of this machine may read it/, remedy: /^chmod 640 / },
  ]);
  const keyless = `${text.replace(/key.*\n/, '')}key_required = false\n`;
  const file = instance.site('keyless.example.toml', keyless, 0o644);
  t.ok(siteOf(instance, file), 'without a key it may be read');
});

t.test("the path of a site's own socket must fit", async (t) => {
  const instance = makeInstance(t);
  const name = 'n'.repeat(100);
  t.match(problemsOf(instance, siteText(instance, name, 'socket = "own"\n')), [
    { line: 5, message: /too long/ },
  ]);
  t.equal(problemsOf(instance, siteText(instance, name)).length, 0);
});

t.test('a parked site has its own name where that can be read, else the name of its file', async (t) => {
  const instance = makeInstance(t);
  const name = (text: string) => {
    const reading = readSiteFile(instance.config(), instance.site('file.example.toml', text));
    return 'parked' in reading ? reading.parked.name : undefined;
  };
  t.equal(name('name = "real.example"\n'), 'real.example');
  t.equal(name('name = "../../etc/passwd"\n'), 'file.example');
  t.equal(name('this is not TOML'), 'file.example');
});
