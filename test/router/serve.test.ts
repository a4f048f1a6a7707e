/** The order of a request's steps, and what becomes of the connection. */

import t from 'tap';
import { noWorkerReason, toRouter } from '../../src/control/router-messages.js';
import { encodeRecord } from '../../src/fastcgi/encode.js';
import { close } from '../../src/os/socket.js';
import { identity } from '../harness/sockets.js';
import type { FakeWorker } from './fake-worker.js';
import { answer, ask, page, ServerRig } from './server-rig.js';

t.test('a kept connection of the shared socket, one request after another', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test' });
  rig.open(2, { name: 'b.test' });
  const web = rig.connect();
  const workers: FakeWorker[] = [];
  for (const [site, name] of [
    [1, 'a.test'],
    [2, 'b.test'],
  ] as const) {
    await web.say(ask({ SERVER_NAME: name }, true));
    t.same(rig.demands.at(-1), { site, count: 1 });
    const worker = rig.giveWorker(site);
    workers.push(worker);
    answer(worker);
    await rig.settle();
    t.same(web.heard(), page);
    t.notOk(web.isEnded);
  }
  await web.say(ask({ SERVER_NAME: 'nobody.test' }, true));
  t.equal(web.status(), '404');
  t.notOk(web.isEnded, 'a refusal is an ordinary answer');
  await web.say(ask({}, false));
  answer(workers[0] ?? rig.giveWorker(1));
  await rig.settle();
  t.same(web.heard(), page);
  t.ok(web.isEnded, 'not kept, as was asked');
  t.equal(rig.closed, 1);
});

t.test('half an answer is the end of its connection', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test' });
  const web = rig.connect();
  await web.say(ask({}, true));
  answer(rig.giveWorker(1), encodeRecord(6, 1, Buffer.alloc(100)).subarray(0, 50));
  await rig.settle();
  t.ok(web.isEnded, 'the next site’s answer would be read as the rest of it');
  t.equal(rig.logged('worker-died'), 1);
});

t.test('a visitor who leaves while he waits is not served', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test' });
  const web = rig.connect();
  await web.say(ask({}));
  web.leave();
  await rig.settle();
  t.equal(rig.closed, 1);
  t.equal(rig.giveWorker(1).take(), undefined);
  t.equal(rig.logged('visitor-left'), 1);
});

t.test('a kept connection is lent where one user answers on it, and to nobody else', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test', ownSocket: true });
  rig.open(2, { name: 'b.test', ownSocket: true, visitors: { carol: 'b.test+carol' } });
  rig.open(3, { name: 'b.test+carol', isHidden: true });
  for (const [socket, site, user, lent] of [
    [1, 1, undefined, true],
    [2, 2, undefined, false],
    [2, 3, 'carol', false],
  ] as const) {
    const web = rig.connect(socket);
    const [connection] = [...rig.server.connections].slice(-1);
    await web.say(ask({ ...(user === undefined ? {} : { REMOTE_USER: user }) }, true));
    t.equal(rig.demands.at(-1)?.site, site);
    const job = rig.giveWorker(site).job();
    t.equal(identity(job.connection) === identity(connection?.fd ?? -1), lent, `site ${site}`);
    close(job.connection);
  }
});

t.test('what the master says of workers that it does not give', async (t) => {
  for (const [reason, status, word] of [
    [noWorkerReason.machineLimit, '503', 'machine-limit'],
    [noWorkerReason.siteLimit, '503', 'queue-full'],
    [noWorkerReason.startFailed, '502', 'start-failed'],
    [noWorkerReason.throttled, '502', 'start-failed'],
    [noWorkerReason.stopping, '503', 'stopping'],
    [noWorkerReason.autoRefused, '403', 'auto-refused'],
    [4711, '502', 'start-failed'],
  ] as const) {
    const rig = new ServerRig(t);
    rig.open(1, { name: 'a.test' });
    const web = rig.connect();
    await web.say(ask({}));
    const pool = rig.server.byId.get(1)?.pool;
    rig.order(toRouter.noWorker, 1, { a: 1, b: reason });
    t.equal(web.status(), status);
    t.equal(rig.logged(word), 1);
    t.ok(pool?.isQuiet);
  }
});
