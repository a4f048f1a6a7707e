import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { startFakeDaemon } from '../control/daemon.js';
import { makeInstance, siteText } from '../site/instance.js';
import { run } from './run.js';

async function showJson(configFile: string): Promise<unknown> {
  const { out } = await run('site', 'show', 'a.example', '--json', '-c', configFile);
  return (JSON.parse(out) as { site: unknown }).site;
}

t.test('with a daemon: added, shown, changed and removed at once', async (t) => {
  const daemon = startFakeDaemon(t);
  const flag = ['-c', daemon.configFile];
  const file = join(daemon.directory, 'sites.d/a.example.toml');
  const words = ['--user', 'games', '--root', daemon.root, '--alias', 'www.a.example', '--max-workers', '3'];
  const settings = [
    '--set',
    'time_limit=5s',
    'env.PORT=8',
    'php_ini.set.memory_limit=64M',
    'suffixes=[".php", ".inc"]',
  ];
  const added = await run('site', 'add', 'a.example', ...words, ...settings, ...flag);
  t.match(added, { code: 0, out: /^added a.example: runs as games \(uid 5\)/, err: '' });
  t.match(added.out, `guise web nginx a.example --config ${daemon.configFile}`);
  t.equal(statSync(file).mode & 0o777, 0o600);

  const shown = await showJson(daemon.configFile);
  t.match(shown, {
    maxWorkers: 3,
    timeLimitMs: 5000,
    env: { PORT: '8' },
    phpIni: { set: { memory_limit: '64M' } },
    suffixes: ['.php', '.inc'],
    aliases: ['www.a.example'],
  });
  t.match(await run('site', 'show', 'www.a.example', ...flag), { code: 0, out: /^name +a.example$/m });
  t.match(await run('site', 'list', ...flag), { code: 0, out: /^a.example +games +pool +/m });

  const key = /key = "(\w+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const set = await run(
    'site',
    'set',
    'a.example',
    '--set',
    'env.B=2',
    '--unset',
    'time_limit',
    '--rotate-key',
    ...flag,
  );
  t.match(set, { code: 0, out: /changed a.example.*The web server needs the new key/s });
  t.match(readFileSync(file, 'utf8'), new RegExp(`old_keys = \\[{ key = "${key}", until = `));
  t.match(await showJson(daemon.configFile), {
    env: { PORT: '8', B: '2' },
    timeLimitMs: 120_000,
    keys: 2,
  });

  t.match(await run('site', 'remove', 'a.example', ...flag), {
    code: 0,
    out: `removed a.example, file ${file}`,
  });
  t.notOk(existsSync(file));
  t.same(daemon.calls, ['apply a.example', 'apply a.example', 'apply a.example']);
});

t.test('without a daemon: in the files, and it says so', async (t) => {
  const instance = makeInstance(t);
  const flag = ['-c', instance.configFile];
  const words = ['--user', 'games', '--root', instance.root];
  const note = 'guise is not running: this takes effect when it starts.';
  t.match(await run('site', 'add', 'a.example', ...words, ...flag), { code: 0, err: note });
  t.match(await run('site', 'list', ...flag), { code: 0, out: /a.example/, err: '' });
  t.match(await run('site', 'show', 'a.example', ...flag), { code: 0, out: /^user +games$/m, err: '' });
  const set = await run('site', 'set', 'a.example', '--set', 'mode=per-request', '--json', ...flag);
  t.match(set, { code: 0, err: note });
  t.match(JSON.parse(set.out), { mode: 'per-request', applied: false });
  t.match(await run('site', 'remove', 'a.example', ...flag), { code: 0, err: note });
  t.match(await run('site', 'list', ...flag), { code: 0, out: /no sites yet/ });
});

t.test('what goes wrong', async (t) => {
  const daemon = startFakeDaemon(t);
  const flag = ['-c', daemon.configFile];
  const words = ['--user', 'games', '--root', daemon.root];
  await run('site', 'add', 'a.example', ...words, ...flag);
  t.match(await run('site', 'add', 'a.example', ...words, ...flag), {
    code: 7,
    err: /there is a site a.example already/,
  });
  t.match(await run('site', 'add', 'b.example', '--user', 'nobody-there', '--root', daemon.root, ...flag), {
    code: 7,
    err: /nothing was written:\nthe user "nobody-there" does not exist.*useradd --create-home nobody-there/s,
  });
  t.match(await run('site', 'add', 'b.example', ...words, '--mode', 'pol', ...flag), {
    code: 7,
    err: /"pool" or "per-request"/,
  });
  t.match(await run('site', 'add', 'b.example', ...words, '--set', 'max_worker=2', ...flag), {
    code: 7,
    err: /did you mean/,
  });
  t.match(await run('site', 'add', 'b.example', ...words, '--set', 'nonsense', ...flag), {
    code: 2,
    err: /not KEY=VALUE/,
  });
  t.match(await run('site', 'set', 'a.example', ...flag), { code: 2, err: /nothing to change/ });
  t.match(await run('site', 'set', 'a.example', '--rotate-key', '--grace', 'soon', ...flag), {
    code: 2,
    err: /no duration/,
  });
  for (const command of ['show', 'remove']) {
    t.match(
      await run('site', command, 'none.example', ...flag),
      { code: 7, err: /there is no site "none.example"/ },
      command,
    );
  }
  t.match(await run('site', 'show', '../../etc/passwd', ...flag), { code: 7 });
  t.same(daemon.calls, ['apply a.example']);
});

t.test('a parked site is listed and shown with its reason', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example', 'mode = "pol"\n'));
  const flag = ['-c', instance.configFile];
  t.match(await run('site', 'list', ...flag), { code: 0, out: /^a.example +- +parked/m });
  t.match(await run('site', 'show', 'a.example', ...flag), {
    code: 0,
    out: /^a.example is parked:\n.*:5: mode has a value/,
  });
});

t.test('a relative root is meant from where one is', async (t) => {
  const instance = makeInstance(t);
  const words = ['--user', 'games', '--root', relative('.', instance.root)];
  t.match(await run('site', 'add', 'a.example', ...words, '-c', instance.configFile), {
    code: 0,
    out: new RegExp(` from ${instance.root},`),
  });
});
