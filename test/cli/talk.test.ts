import { spawn } from 'node:child_process';
import t from 'tap';
import { startFakeDaemon } from '../control/daemon.js';
import { makeInstance, siteText } from '../site/instance.js';
import { run } from './run.js';

t.test('every command that needs a daemon says when there is none', async (t) => {
  const { configFile } = makeInstance(t);
  for (const command of ['ping', 'status', 'reload', 'stop']) {
    const ran = await run(command, '-c', configFile);
    t.match(
      ran,
      { code: 3, out: '', err: /guise is not running: nothing listens at .*remedy: guise daemon --config/s },
      command,
    );
  }
});

t.test('ping and status', async (t) => {
  const daemon = startFakeDaemon(t);
  daemon.site('b.example.toml', 'nonsense');
  await run('reload', '-c', daemon.configFile);
  t.same(await run('ping', '-c', daemon.configFile), {
    code: 0,
    out: `guise 9.9.9 is alive: pid ${process.pid}, up 1m 1s`,
    err: '',
  });
  t.match(JSON.parse((await run('ping', '--json', '-c', daemon.configFile)).out), { version: '9.9.9' });
  const { code, out } = await run('status', '-c', daemon.configFile);
  t.equal(code, 0);
  const lines = out.split('\n');
  t.match(lines[0], `guise 9.9.9, pid ${process.pid}, up 1m 1s; router: 7`);
  t.match(
    lines[2],
    /^!! b.example: its file is wrong, so it does not run: .*b.example.toml:1: this is not TOML/,
  );
  t.match(lines[3], /^ +guise check$/);
  t.match(lines[4], /^ ! a.example: 1 request lost to a crash: worker 2 was killed by SIGSEGV$/);
  t.match(lines[5], /^ +tail .*\/log\/sites\/a.example\/php.log$/);
  t.match(lines[7], /^SITE +STATE +USER +MODE +WORKERS +BUSY +QUEUE +SERVED +REFUSED +CRASHED$/);
  t.match(lines[8], /^a.example +active +games +pool +3\/8 +1 +4\/100 +123 +5 +1$/);
  t.match(lines[9], /^b.example +parked /);
  t.match(JSON.parse((await run('status', '--json', '-c', daemon.configFile)).out), {
    sites: [{ served: 123 }],
    parked: [{ name: 'b.example' }],
  });
});

t.test('everything about one site', async (t) => {
  const daemon = startFakeDaemon(t);
  daemon.site('a.example.toml', siteText(daemon, 'a.example', 'aliases = ["www.a.example"]\n'));
  daemon.site('b.example.toml', 'nonsense');
  daemon.reread();
  for (const name of ['a.example', 'www.a.example']) {
    const { code, out } = await run('status', name, '-c', daemon.configFile);
    t.equal(code, 0);
    t.match(out, /^ ! a.example: 1 request lost/);
    t.match(out, /^ {2}workers.busy +1$/m);
    t.match(out, /^ {2}realRoot +\//m);
    t.notMatch(out, /b\.example/);
  }
  t.match(JSON.parse((await run('status', 'a.example', '--json', '-c', daemon.configFile)).out), {
    status: { name: 'a.example', served: 123 },
    site: { name: 'a.example', user: 'games' },
  });
  t.match(await run('status', 'b.example', '-c', daemon.configFile), { code: 0, out: /its file is wrong/ });
  t.match(await run('status', 'c.example', '-c', daemon.configFile), { code: 7, err: /no site "c.example"/ });
});

t.test('reload says what changed, and what is parked', async (t) => {
  const daemon = startFakeDaemon(t);
  daemon.site('b.example.toml', 'nonsense');
  t.match(await run('reload', '-c', daemon.configFile), {
    code: 0,
    out: 'added: new.example; parked: b.example; unchanged: 2',
    err: /b.example.toml:1: this is not TOML/,
  });
  t.match(JSON.parse((await run('reload', '--json', '-c', daemon.configFile)).out), {
    added: ['new.example'],
  });
});

t.test('stop returns when the process has ended', async (t) => {
  const daemon = startFakeDaemon(t);
  const process = spawn('sleep', ['60']);
  daemon.pid = process.pid ?? 0;
  t.match(await run('stop', '--no-wait', '-c', daemon.configFile), {
    code: 0,
    out: `stopping: pid ${daemon.pid}`,
  });
  let ended = false;
  const stopping = run('stop', '-c', daemon.configFile).then((ran) => {
    t.ok(ended, 'not before');
    return ran;
  });
  while (daemon.calls.length < 2) await new Promise((resolve) => setImmediate(resolve));
  process.on('exit', () => {
    ended = true;
  });
  process.kill();
  t.match(await stopping, { code: 0, out: 'stopped' });
});
