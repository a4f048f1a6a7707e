/** Every route, asked over the real socket by a process of every kind of user. */

import { chmodSync, statSync } from 'node:fs';
import t, { type Test } from 'tap';
import { noFigures } from '../../src/account/figures.js';
import { figuresReport } from '../../src/control/figures-report.js';
import { routes } from '../../src/control/routes.js';
import { key, siteText } from '../site/instance.js';
import { type FakeDaemon, runAs, startFakeDaemon } from './daemon.js';

/** Who may ask what; the owner of a.example asks about his own site. Whoever is not named gets a 403. */
const table: readonly { readonly ask: string; readonly body?: object; readonly may: string }[] = [
  { ask: 'GET /ping', may: 'admin status owner' },
  { ask: 'GET /status', may: 'admin status owner' },
  { ask: 'GET /metrics', may: 'admin status' },
  { ask: 'POST /reload', may: 'admin' },
  { ask: 'POST /reopen', may: 'admin' },
  { ask: 'POST /stop', may: 'admin' },
  { ask: 'GET /sites', may: 'admin owner' },
  { ask: 'POST /sites', body: { name: 'new.example', user: 'games' }, may: 'admin' },
  { ask: 'GET /sites/a.example', may: 'admin owner' },
  { ask: 'PATCH /sites/a.example', body: { set: { max_workers: 2 } }, may: 'admin' },
  { ask: 'POST /sites/a.example/disable', may: 'admin' },
  { ask: 'POST /sites/a.example/enable', may: 'admin' },
  { ask: 'POST /sites/a.example/restart', may: 'admin owner' },
  { ask: 'DELETE /sites/a.example', may: 'admin' },
];

/** As every Debian has them. games owns a.example and sys owns b.example; the group is mail's, the router is daemon's. */
const users = {
  root: { uid: 0, gid: 0, role: 'admin' },
  'member of the group': { uid: 8, gid: 8, role: 'admin' },
  'router user': { uid: 1, gid: 1, role: 'status' },
  'owner of a.example': { uid: 5, gid: 60, role: 'owner' },
  stranger: { uid: 10, gid: 10, role: 'none' },
  'stranger who says that he is in the group': { uid: 10, gid: 8, role: 'none' },
  'user whom nobody knows': { uid: 4_000_000, gid: 4_000_000, role: 'none' },
} as const;

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

interface Told {
  readonly status: number;
  readonly text: string;
}

/** What a process of that user is told, question by question. */
async function askAs(
  user: { readonly uid: number; readonly gid: number },
  daemon: FakeDaemon,
  questions: readonly Question[],
): Promise<Told[]> {
  const script = `
    const { request } = require('node:http');
    const ask = ({ method, path, body }) => new Promise((resolve) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = text === undefined ? {} : { 'Content-Length': Buffer.byteLength(text) };
      const call = request({ socketPath: ${JSON.stringify(daemon.socket)}, agent: false, method, path, headers });
      call.on('error', (error) => resolve({ status: 0, text: error.code }));
      call.on('response', (response) => {
        let got = '';
        response.on('data', (chunk) => { got += chunk; });
        response.on('end', () => resolve({ status: response.statusCode, text: got }));
      });
      call.end(text);
    });
    (async () => {
      const told = [];
      for (const question of ${JSON.stringify(questions)}) told.push(await ask(question));
      console.log(JSON.stringify(told));
    })();`;
  return JSON.parse(await runAs(user.uid, user.gid, script)) as Told[];
}

function daemonWithTwoSites(t: Test, toml = '[control]\ngroup = "mail"\n'): FakeDaemon {
  const daemon = startFakeDaemon(t, toml);
  daemon.site('a.example.toml', siteText(daemon, 'a.example', 'aliases = ["www.a.example"]\n'));
  const b = `name = "b.example"\nroot = "${daemon.root}"\nuser = "sys"\nkey = "${'cd'.repeat(32)}"\n`;
  daemon.site('b.example.toml', b);
  daemon.site('c.example.toml', 'nonsense');
  daemon.reread();
  const row = {
    mode: 'pool',
    socket: 'shared',
    served: 1,
    refused: 0,
    crashed: 0,
    workerPids: [4711],
  } as const;
  const workers = { total: 1, busy: 0, idle: 1, starting: 0, limit: 8, maxBusy: 1, limitReached: 0 };
  const queue = { length: 0, limit: 1, maxLength: 0 };
  const lives = { workers: 1, templates: 1, failedStarts: 0, deaths: {} };
  const since = '2030-01-01T00:00:00.000Z';
  const figures = figuresReport(noFigures());
  const rest = { ...figures, ...row, state: 'active', inForceSince: since, lives, workers, queue } as const;
  daemon.others.push(
    { ...rest, name: 'b.example', user: 'sys', uid: 3 },
    // Visitors of both sites, and automatic sites.
    { ...rest, name: 'b.example+games', user: 'games', uid: 5 },
    { ...rest, name: 'a.example+sys', user: 'sys', uid: 3 },
    { ...rest, name: '~games', user: 'games', uid: 5 },
    { ...rest, name: '~sys', user: 'sys', uid: 3 },
  );
  return daemon;
}

t.test('the table above has every route, and no other', async (t) => {
  const asked = table.map(({ ask }) => ask.replace('a.example', '*'));
  t.same(
    asked,
    routes.map(({ method, path }) => `${method} ${path}`),
  );
});

for (const [who, user] of Object.entries(users)) {
  t.test(`every route, asked by ${who}`, async (t) => {
    const daemon = daemonWithTwoSites(t);
    const questions = table.map(({ ask, body }) => {
      const [method = '', path = ''] = ask.split(' ');
      const whole = body !== undefined && method === 'POST' ? { ...body, root: daemon.root } : body;
      // Others than administrators are refused for what they ask, not for having sent a body.
      return { method, path, ...(whole === undefined || user.role !== 'admin' ? {} : { body: whole }) };
    });
    const told = await askAs(user, daemon, questions);
    for (const [index, { ask, may }] of table.entries()) {
      const { status = 0, text = '' } = told[index] ?? {};
      if (may.split(' ').includes(user.role))
        t.ok(status >= 200 && status < 300, `${ask}: ${status} ${text}`);
      else t.equal(status, 403, `${ask}: ${status} ${text}`);
      t.notMatch(text, key, 'no key');
    }
    const own = user.role === 'owner' ? ['restart a.example'] : [];
    if (user.role !== 'admin') t.same(daemon.calls, own, 'and the master was asked to change nothing else');
    if (user.role === 'none') t.match(daemon.problems, [{ code: 'NOT_PERMITTED', message: /^uid / }]);
  });
}

t.test('the user of a site sees his own, and of others not even that they are there', async (t) => {
  const daemon = daemonWithTwoSites(t);
  const get = (path: string): Question => ({ method: 'GET', path });
  const [status, sites, own, alias, other, none, parked] = await askAs(users['owner of a.example'], daemon, [
    get('/status'),
    get('/sites'),
    get('/sites/a.example'),
    get('/sites/www.a.example'),
    get('/sites/b.example'),
    get('/sites/d.example'),
    get('/sites/c.example'),
  ]);
  const report = JSON.parse(status?.text ?? '') as { sites: { name: string }[] };
  t.same(
    report.sites.map(({ name }) => name),
    ['a.example', 'a.example+sys', '~games'],
  );
  t.match(report, { routers: [], parked: [] });
  t.match(JSON.parse(sites?.text ?? ''), { sites: [{ name: 'a.example' }], parked: [] });
  for (const answer of [status, sites]) t.notMatch(answer?.text, /b\.example|c\.example/);
  t.match([own?.status, alias?.status], [200, 200]);
  t.equal(other?.status, 404);
  const neutral = (text = ''): string => text.replaceAll(/[bcd]\.example/g, 'X');
  t.equal(neutral(other?.text), neutral(none?.text), 'a site of somebody else is one that is not there');
  t.equal(neutral(parked?.text), neutral(none?.text), 'and a parked one too');
  const again = { method: 'DELETE', path: '/sites/b.example' };
  t.match(await askAs(users['owner of a.example'], daemon, [again]), [{ status: 403 }]);
});

t.test('a role that was lost is lost at once', async (t) => {
  const daemon = daemonWithTwoSites(t);
  const owner = users['owner of a.example'];
  const ping = [{ method: 'GET', path: '/ping' }];
  t.match(await askAs(owner, daemon, ping), [{ status: 200 }]);
  daemon.site('a.example.toml', siteText(daemon, 'a.example').replace('"games"', '"sys"'));
  daemon.reread();
  t.match(await askAs(owner, daemon, ping), [{ status: 403 }]);
});

t.test('owners = false: nobody but root, the group and the router', async (t) => {
  const daemon = daemonWithTwoSites(t, '[control]\nowners = false\n');
  const ping = [{ method: 'GET', path: '/ping' }];
  t.match(await askAs(users.root, daemon, ping), [{ status: 200 }]);
  t.match(await askAs(users['router user'], daemon, ping), [{ status: 200 }]);
  const [told] = await askAs(users['owner of a.example'], daemon, ping);
  t.equal(told?.status, 403);
  t.match(told?.text, /only root may speak to this daemon.*run this as root/s);
  t.match(await askAs(users['member of the group'], daemon, ping), [{ status: 403 }], 'there is no group');
});

t.test('the mode of the socket lets everybody connect, and decides nothing', async (t) => {
  const daemon = daemonWithTwoSites(t);
  t.equal(statSync(daemon.socket).mode, 0o140666);
  chmodSync(daemon.socket, 0o600);
  t.match(await askAs(users.stranger, daemon, [{ method: 'GET', path: '/ping' }]), [{ text: 'EACCES' }]);
});
