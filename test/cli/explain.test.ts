/** What `guise explain` looks at before the script, and refusals of the past. */

import { appendFileSync, chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { siteText } from '../site/instance.js';
import { explained, failureOf, file, games, stranger, webServer, world } from './explaining.js';
import { run } from './run.js';

t.test('what comes before the script', async (t) => {
  const daemon = world(t);
  const path = `${daemon.root}/ok.php`;
  const socket = `${daemon.directory}/run/guise.sock`;
  const stepOf = async (...args: string[]) => {
    const explanation = await explained(daemon, ...args);
    t.equal(explanation.code, 1);
    return { reason: explanation.reason, ...failureOf(explanation) };
  };

  t.match(await stepOf('http://other.example/'), { step: 'site', reason: 'no-site' });
  t.match(await stepOf(`${daemon.directory}/nowhere.php`), { step: 'site', reason: 'no-site' });

  chmodSync(socket, 0o666);
  t.match(await stepOf(path), {
    step: 'socket',
    findings: [{ found: 'mode 0666', expected: 'mode 0600', remedy: `chmod 0600 ${socket}` }],
  });
  chmodSync(socket, 0o600);
  chownSync(socket, stranger, 0);
  t.match(await stepOf(path), {
    step: 'socket',
    findings: [{ remedy: `chown ${webServer.uid}:0 ${socket}` }],
  });
  chownSync(socket, webServer.uid, 0);

  daemon.site('b.example.toml', siteText(daemon, 'b.example', 'spare = "many"\n', 'ef'.repeat(32)));
  t.match(await stepOf('http://b.example/x.php'), {
    step: 'site',
    reason: undefined,
    findings: [{ message: /^spare / }],
  });
  daemon.site('b.example.toml', siteText(daemon, 'b.example', '', 'ef'.repeat(32)));
  t.match(await stepOf('http://b.example/ok.php'), {
    step: 'daemon',
    findings: [{ remedy: 'guise reload' }],
  });

  await daemon.close();
  t.match(await stepOf(path), { step: 'daemon', findings: [{ message: /not running/ }] });
  appendFileSync(daemon.configFile, 'nonsense = 1\n');
  t.match(await stepOf(path), { step: 'configuration', about: daemon.configFile });
});

t.test('directories that are sites by themselves', async (t) => {
  const daemon = world(t);
  const home = `${daemon.directory}/home`;
  appendFileSync(daemon.configFile, `[auto]\nroots = ["${home}/*/htdocs"]\nkey = "${'5e'.repeat(32)}"\n`);
  chmodSync(daemon.configFile, 0o640);
  for (const [name, owner] of [
    ['good', games.uid],
    ['roots', 0],
  ] as const) {
    mkdirSync(`${home}/${name}/htdocs`, { recursive: true });
    for (const path of [`${home}/${name}`, `${home}/${name}/htdocs`]) chownSync(path, owner, games.gid);
    file(daemon, `${home}/${name}/htdocs/x.php`, owner);
  }
  const script = `${home}/good/htdocs/x.php`;
  for (const what of [script, 'http://any.example/~good/x.php', 'http://good/x.php']) {
    t.match(await explained(daemon, what), { code: 0, site: '~good', user: 'games', script }, what);
  }
  t.match(failureOf(await explained(daemon, 'http://roots/x.php')), { step: 'site', reason: 'auto-refused' });
});

t.test('a visitor that runs as another user', async (t) => {
  const daemon = world(t, '', 'visitors = { carol = "man" }\n');
  const path = file(daemon, 'private.php', games.uid, 0o640);
  t.match(await explained(daemon, path), { code: 0, user: 'games' });
  t.match(await explained(daemon, path, '--visitor', 'dave'), { code: 0, user: 'games' });
  t.match(await explained(daemon, path, '--visitor', 'carol'), {
    code: 1,
    user: 'man',
    reason: 'script-unreadable',
  });
});

t.test('a refusal of the past', async (t) => {
  const daemon = world(t);
  mkdirSync(`${daemon.directory}/log`);
  const script = `${daemon.root}/stranger.php`;
  const line = {
    id: '0123456789ab',
    site: 'a.example',
    status: 403,
    reason: 'script-owner',
    found: stranger,
    script,
  };
  writeFileSync(
    `${daemon.directory}/log/guise.log`,
    `not json 0123456789ab\n{"uri":"0123456789ab","reason":"no-site"}\n${JSON.stringify(line)}\n`,
  );
  const { code, out } = await run('explain', '--id', '0123456789ab', '-c', daemon.configFile);
  t.equal(code, 0);
  t.match(out, /^0123456789ab: 403 script-owner/);
  t.match(out, `chown games ${script}`);
  t.match(out, new RegExp(`found: {4}owner uid ${stranger}`));
  t.match(out, `guise explain ${script} --site a.example`);
  const past = await run('explain', '--id', '0123456789ab', '--json', '-c', daemon.configFile);
  t.match(JSON.parse(past.out), { known: true, reason: 'script-owner', remedy: `chown games ${script}` });
  t.match(await run('explain', '--id', 'ffffffffffff', '-c', daemon.configFile), {
    code: 1,
    out: /no refusal/,
  });
  t.match(await run('explain', '--id', '../x', '-c', daemon.configFile), { code: 2 });
});

t.test('questions that make no sense', async (t) => {
  const daemon = world(t);
  for (const [args, code, err] of [
    [[], 2, /--id is needed/],
    [['http://[/x'], 2, /is no URL/],
    [['http://a.example/%zz'], 2, /is no URL/],
    [['http://a.example/%00'], 2, /is no URL/],
    [['--site', 'c.example', '/x.php'], 7, /there is no site "c.example"/],
  ] as const) {
    t.match(await run('explain', ...args, '-c', daemon.configFile), { code, err }, args.join(' '));
  }
});
