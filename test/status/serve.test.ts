/** The status application on its socket: who is answered, and when. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import { RecordType, Role } from '../../src/fastcgi/constants.js';
import { encodeBeginRequest, encodeParams, encodeRecord, encodeStreamEnd } from '../../src/fastcgi/encode.js';
import { statusServer } from '../../src/status/serve.js';
import { askOnce, FcgiClient, type Params } from '../harness/fcgi-client.js';
import { daemonReport, siteReport } from './report.js';

const key = 'the key';

async function serve(t: Test): Promise<string> {
  const directory = mkdtempSync('/tmp/guise-t-status-');
  const path = `${directory}/status.sock`;
  const server = statusServer({
    paths: { status: '/guise-status', ping: '/ping' },
    mayAsk: () => true,
    isKey: (given) => given === key,
    report: () => Promise.resolve(daemonReport(siteReport('a.test'))),
    nowMs: () => 0,
  }).listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  return path;
}

const asks = { ping: '/ping', status: '/guise-status?json', nothing: '/elsewhere' } as const;
const params = (uri: string, more: Params): Params => ({ REQUEST_METHOD: 'POST', REQUEST_URI: uri, ...more });

t.test('what is answered', async (t) => {
  const path = await serve(t);
  const withKey = { GUISE_STATUS_KEY: key };
  t.equal((await askOnce(path, params(asks.ping, withKey))).body, 'pong');
  t.match((await askOnce(path, params(asks.status, withKey))).body, '"pool":');
  t.equal((await askOnce(path, params(asks.nothing, withKey))).status, 404);
  t.equal((await askOnce(path, params(asks.ping, withKey), Buffer.alloc(1024 ** 2))).status, 200);
  for (const wrong of [{}, { GUISE_STATUS_KEY: '' }, { GUISE_STATUS_KEY: 'another' }])
    t.equal((await askOnce(path, params(asks.ping, wrong))).status, 403);
});

// Apache takes a connection that is closed before it has written the whole request for one that failed: 503.
t.test('a web server that is slow to end its request is waited for', async (t) => {
  const path = await serve(t);
  for (const [given, status] of [
    [key, 200],
    ['', 403],
  ] as const) {
    const slow = await FcgiClient.connect(path);
    const mine = params(asks.ping, { GUISE_STATUS_KEY: given });
    slow.send(encodeBeginRequest(1, Role.RESPONDER), encodeParams(1, Object.entries(mine)));
    slow.send(encodeRecord(RecordType.STDIN, 1, Buffer.from('the beginning of a body')));
    for (let others = 0; others < 3; others += 1) await askOnce(path, mine);
    t.notOk(slow.hasHeard || slow.isClosed, 'nothing has been answered yet');
    slow.send(encodeStreamEnd(RecordType.STDIN, 1));
    t.equal((await slow.answer()).status, status);
    await slow.closed();
  }
});
