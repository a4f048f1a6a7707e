/**
 * Every form of the status, byte for byte, beside that of a real php-fpm: names, order, types, spaces, headers. Only
 * numbers and the words about the present request differ.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { startService } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { statusServer } from '../../src/status/serve.js';
import { phpFpmCommand } from '../attack/php-fpm.js';
import { askOnce, type FcgiAnswer } from '../harness/fcgi-client.js';
import { readText } from '../harness/log.js';
import { daemonReport, siteReport } from './report.js';

const directory = mkdtempSync('/tmp/guise-t-status-');
const fpmSocket = `${directory}/fpm.sock`;
const ownSocket = `${directory}/status.sock`;
const configuration = `[global]
error_log = ${directory}/fpm.log
[shop.test]
user = www-data
group = www-data
listen = ${fpmSocket}
pm = ondemand
pm.max_children = 3
pm.status_path = /status
ping.path = /ping
`;

writeFileSync(`${directory}/fpm.conf`, configuration);
const fpm = startService('/usr/bin/env', phpFpmCommand(`${directory}/fpm.conf`), `${directory}/output.log`);
t.teardown(async () => {
  await fpm.stop();
  rmSync(directory, { recursive: true, force: true });
});

await until('php-fpm to listen', () => {
  if (fpm.exit() !== undefined) throw new Error(`php-fpm ended: ${readText(`${directory}/fpm.log`)}`);
  return existsSync(fpmSocket) && readText(`${directory}/fpm.log`).includes('ready');
});

/** As many processes as php-fpm shows when it is asked one thing after the other. */
const one = {
  workers: { total: 1, busy: 1, idle: 0, starting: 0, limit: 8, maxBusy: 1, limitReached: 0 },
  workerPids: [4711],
};
const server = statusServer({
  paths: { status: '/status', ping: '/ping' },
  mayAsk: () => true,
  isKey: () => true,
  report: async () => daemonReport(siteReport('shop.test', one), siteReport('other.test')),
  nowMs: () => Date.parse('2026-11-24T16:55:29Z'),
});
t.teardown(() => {
  server.close();
});
await new Promise<void>((resolve) => {
  server.listen(ownSocket, resolve);
});

function ask(socket: string, path: string, method = 'GET'): Promise<FcgiAnswer> {
  const [script = '', query = ''] = path.split('?');
  const params = { REQUEST_METHOD: method, SCRIPT_NAME: script, SCRIPT_FILENAME: script };
  return askOnce(socket, { ...params, REQUEST_URI: path, QUERY_STRING: query });
}

/** Numbers, dates and what is said about a request without their values. */
function shape(text: string): string {
  return text
    .replace(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}/g, 'DATE')
    .replace(/\bGET\b/g, '-')
    .replace(/\\?\/status(\?[a-z]*((&amp;|&)[a-z]+)*)?/g, '-')
    .replace(/[&?]site=[a-z.]+/g, '')
    .replace(/\d+\.\d\d\b/g, 'CPU')
    .replace(/(?<![a-zA-Z/.-])\d+(?![.\w])/g, 'N');
}

function headers(head: string): string[] {
  return head
    .split('\r\n')
    .filter((line) => !/^(Status: 200|X-Powered-By)/.test(line))
    .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
    .sort();
}

const forms = ['', 'json', 'xml', 'html', 'openmetrics'];
const questions = forms.flatMap((form) => [form, form === '' ? 'full' : `${form}&full`]);

for (const question of [...questions, 'full&xml&json', 'nonsense']) {
  await t.test(`?${question}`, async (t) => {
    const theirs = await ask(fpmSocket, `/status?${question}`);
    const ours = await ask(ownSocket, `/status?${question}&site=shop.test`);
    t.equal(theirs.status, 200);
    t.ok(theirs.body.length > 200, 'php-fpm has said something');
    t.equal(shape(ours.body), shape(theirs.body));
    t.same(headers(ours.head), headers(theirs.head));
  });
}

await t.test('a ping is answered with the same word', async (t) => {
  const theirs = await ask(fpmSocket, '/ping');
  const ours = await ask(ownSocket, '/ping');
  t.equal(ours.body, 'pong');
  t.equal(ours.body, theirs.body);
  t.same(headers(ours.head), headers(theirs.head));
  t.equal((await ask(ownSocket, '/ping', 'HEAD')).body, (await ask(fpmSocket, '/ping', 'HEAD')).body);
});

await t.test('the figures are the report', async (t) => {
  const all = JSON.parse((await ask(ownSocket, '/status?json&full')).body) as Record<string, unknown>;
  t.match(all, {
    pool: 'guise',
    'start time': 1795539269,
    'start since': 60,
    'accepted conn': 84,
    'listen queue': 4,
    'listen queue len': 200,
    'idle processes': 2,
    'active processes': 2,
    'total processes': 4,
  });
  const pids = (all.processes as { pid: number; state: string }[]).map(({ pid, state }) => `${pid} ${state}`);
  t.same(pids, ['4711 Running', '101 Running', '102 Idle', '103 Idle']);
});

await t.test('what is not there is a 404', async (t) => {
  for (const path of ['/status?site=none.test', '/status/more', '/', '/statusx', '/pingx'])
    t.equal((await ask(ownSocket, path)).status, 404, path);
});
