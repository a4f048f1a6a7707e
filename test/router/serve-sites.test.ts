/** Sites that change, go or come while requests of theirs are on the way. */

import t from 'tap';
import { noWorkerReason, toRouter } from '../../src/control/router-messages.js';
import { packRows, type RouterRow } from '../../src/control/router-rows.js';
import { noteComplete, noteDone } from '../../src/control/worker-messages.js';
import { close, send } from '../../src/os/socket.js';
import { identity } from '../harness/sockets.js';
import { siteConfig } from './rig.js';
import { answer, ask, keyed, keyOf, page, ServerRig } from './server-rig.js';

t.test('many sites told in one message are each found by their own key', async (t) => {
  const rig = new ServerRig(t);
  const rows = ['1', '2', '3'].map(
    (digit, n): RouterRow => [n + 1, { ...siteConfig, name: `s${digit}.test`, ...keyed(digit) }],
  );
  rig.order(toRouter.sites, 0, {}, packRows(rows));
  for (const [digit, site] of [
    ['3', 3],
    ['1', 1],
  ] as const) {
    await rig.connect().say(ask({ GUISE_KEY: keyOf(digit) }));
    t.same(rig.demands.at(-1), { site, count: 1 });
  }
});

t.test('a site that is taken out while a request of it is being read', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test' });
  const web = rig.connect();
  const bytes = ask({}, false, 'the body');
  await web.say(bytes.subarray(0, -16));
  rig.order(toRouter.siteGone, 1);
  await web.say(bytes.subarray(-16));
  t.equal(web.status(), '503', 'it is told so at once, for nobody would give a worker');
  t.same(rig.demands, []);
});

t.test('a site that changes while a request of it is being read', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test' });
  await rig.connect().say(ask({}));
  close(rig.giveWorker(1).job().connection);
  const web = rig.connect();
  const bytes = ask({}, false, 'the body');
  await web.say(bytes.subarray(0, -16));
  rig.order(toRouter.siteGone, 1);
  rig.open(2, { name: 'a.test' });
  await web.say(bytes.subarray(-16));
  t.same(rig.demands.at(-1), { site: 2, count: 1 }, 'the site as it is now serves it');
  answer(rig.giveWorker(2));
  await rig.settle();
  t.same(web.heard(), page);
});

t.test('a site that is taken out still finishes what it has', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test', maxWorkers: 1 });
  const [first, second] = [rig.connect(), rig.connect()];
  await first.say(ask({}));
  await second.say(ask({}));
  const worker = rig.giveWorker(1);
  rig.order(toRouter.siteGone, 1);
  t.ok(rig.server.byId.has(1));
  answer(worker);
  await rig.settle();
  answer(worker);
  await rig.settle();
  t.same([first.heard(), second.heard()], [page, page]);
  t.ok(worker.isLetGo);
  t.notOk(rig.server.byId.has(1));
  const late = rig.connect();
  await late.say(ask({}));
  t.equal(late.status(), '404');
});

t.test('a site that is taken out lets its idle workers go at once', async (t) => {
  const rig = new ServerRig(t);
  rig.open(1, { name: 'a.test' });
  const worker = rig.giveWorker(1);
  t.notOk(worker.isLetGo);
  rig.order(toRouter.siteGone, 1);
  t.ok(worker.isLetGo);
  t.notOk(rig.server.byId.has(1));
  rig.giveWorker(1);
  t.notOk(rig.server.byId.has(1), 'one that comes too late is sent away');
});

t.test('a site’s own socket knows its site after it has changed', async (t) => {
  const rig = new ServerRig(t);
  const a = { name: 'a.test', ownSocket: true, ...keyed('a') };
  rig.open(1, a);
  rig.open(2, { name: 'b.test', ...keyed('b') });
  const [kept, busy] = [rig.connect(1), rig.connect(1)];
  await busy.say(ask({ GUISE_KEY: keyOf('a') }));
  const old = rig.giveWorker(1);
  rig.order(toRouter.siteGone, 1);
  rig.open(3, a);
  await kept.say(ask({ GUISE_KEY: keyOf('a') }, true));
  t.same(rig.demands.at(-1), { site: 3, count: 1 }, 'while the old one still has work');
  const worker = rig.giveWorker(3);
  const job = worker.job();
  const [connection] = [...rig.server.connections];
  t.equal(identity(job.connection), identity(connection?.fd ?? -1), 'it is lent as before');
  t.notMatch(job.params.toString('latin1'), keyOf('a'), 'the key goes no further');
  send(job.connection, page, 0, page.length);
  worker.note({ type: noteDone, sequence: job.sequence, flags: noteComplete });
  await rig.settle();
  t.same(kept.heard(), page);
  answer(old);
  await rig.settle();
  t.notOk(rig.server.byId.has(1));
  await kept.say(ask({ GUISE_KEY: keyOf('b') }, true));
  t.equal(kept.status(), '403', 'nobody else’s key opens it, now as before');
  t.equal(rig.logged('other-key'), 1);
  rig.order(toRouter.siteGone, 3);
  await kept.say(ask({ GUISE_KEY: keyOf('b') }, true));
  t.not(kept.status(), '200', 'nor when its site has gone');
  t.same(
    rig.demands.filter(({ site }) => site === 2),
    [],
  );
  close(job.connection);
});

t.test('an automatic site that was forgotten while a request of it was being read', async (t) => {
  const auto = {
    roots: ['/home/*/www'],
    site: { ...siteConfig, name: 'auto', isHidden: true, ...keyed('f') },
  };
  const rig = new ServerRig(t, auto);
  const params = { GUISE_KEY: keyOf('f'), SCRIPT_FILENAME: '/home/alice/www/a.php' };
  const first = rig.connect();
  await first.say(ask(params));
  const id = rig.demands[0]?.site ?? -1;
  t.equal(id, 0x8000_0001);
  const worker = rig.giveWorker(id);
  answer(worker);
  await rig.settle();
  t.same(first.heard(), page);
  const slow = rig.connect();
  const bytes = ask(params, false, 'the body');
  await slow.say(bytes.subarray(0, -16));
  rig.order(toRouter.workerGone, id, { worker: worker.id });
  rig.order(toRouter.siteGone, id);
  t.notOk(rig.server.byId.has(id));
  await slow.say(bytes.subarray(-16));
  const again = rig.demands.at(-1)?.site ?? -1;
  t.ok(rig.server.byId.has(again), 'it is a site again');
  answer(rig.giveWorker(again));
  await rig.settle();
  t.same(slow.heard(), page);
});

t.test('an automatic site that the master refuses is forgotten', async (t) => {
  const auto = {
    roots: ['/home/*/www'],
    site: { ...siteConfig, name: 'auto', isHidden: true, ...keyed('f') },
  };
  const rig = new ServerRig(t, auto);
  for (const id of [0x8000_0001, 0x8000_0002]) {
    const web = rig.connect();
    await web.say(ask({ GUISE_KEY: keyOf('f'), SCRIPT_FILENAME: '/home/alice/www/a.php' }));
    t.same(rig.demands.at(-1), { site: id, count: 1 });
    rig.order(toRouter.noWorker, id, { a: 1, b: noWorkerReason.autoRefused });
    t.equal(web.status(), '403');
    t.notOk(rig.server.byId.has(id));
  }
});
