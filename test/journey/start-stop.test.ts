/** Starting and stopping: one daemon a directory, nothing lost on the way down, nothing in the way after a crash. */

import { existsSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { readLog } from '../harness/log.js';
import { journey } from '../harness/world.js';

await journey(
  async (t, world) => {
    const { guise } = world;
    const site = await guise.addSite({ name: 'life.test', user: 'alice' });
    const apache = await apacheFor(world, [site]);
    const at = apache.at(site);

    await t.test('a second daemon on the same directory is refused', async (t) => {
      const second = await guise.run('daemon');
      t.equal(second.code, 6);
      t.match(second.stderr, String(guise.pid), 'and is told which one runs');
      t.equal((await get(at, '/whoami.php')).status, 200, 'the first does not mind');
    });

    await t.test('stop lets a running request finish', async (t) => {
      const running = get(at, '/slow.php?ms=2000');
      await until('the request to run', async () => (await guise.siteStatus(site.name)).workers.busy === 1);
      const stopping = guise.run('stop');
      t.equal((await running).status, 200);
      t.equal((await stopping).code, 0);
      await until('the daemon to end', () => guise.exit());
      t.same(guise.exit(), { code: 0, signal: null });
      t.same(guise.processes(), [], 'no process is left');
      t.notOk(existsSync(guise.socket), 'no socket either');
    });

    await t.test('when it is not running, commands say so', async (t) => {
      for (const command of ['ping', 'status', 'stop', 'reload']) {
        const { code, stderr } = await guise.run(command);
        t.equal(code, 3, command);
        t.match(stderr, /not running/);
      }
      const reply = await get(at, '/whoami.php');
      t.equal(reply.status, 503, 'and Apache answers 503');
    });

    await t.test('stop has a limit', async (t) => {
      await guise.start();
      const running = get(at, '/slow.php?ms=60000').catch((thrown: unknown) => thrown);
      await until('the request to run', async () => (await guise.siteStatus(site.name)).workers.busy === 1);
      const started = performance.now();
      await guise.stop('SIGTERM');
      const took = performance.now() - started;
      t.ok(took > 2000 && took < 15_000, `stopped after ${Math.round(took)} ms`);
      t.same(guise.processes(), []);
      await running;
    });

    await t.test('what a killed daemon left is taken over', async (t) => {
      guise.allowErrors(/./);
      await guise.start();
      t.equal((await get(at, '/whoami.php')).status, 200);
      process.kill(guise.pid, 'SIGKILL');
      await until('the daemon to end', () => guise.exit());
      t.ok(existsSync(guise.socket), 'its socket is still there');
      await guise.start();
      t.equal((await get(at, '/whoami.php')).status, 200);
      await until('nothing of the old one to be left', () => {
        const own = guise.processes().filter((entry) => entry.uid === guise.routerUser.uid);
        // The router and the ledger.
        return own.length === 2;
      });
    });

    await t.test('the log tells what an administrator cares about', async (t) => {
      const lines = readLog(`${guise.instance.log}/guise.log`);
      t.ok(lines.length > 0);
      for (const line of lines) {
        t.type(line.msg, 'string');
        t.type(line.level, 'number');
        t.ok('time' in line);
      }
      t.ok(lines.some((line) => /started/.test(line.msg)));
      t.ok(lines.some((line) => /stopped/.test(line.msg)));
    });
  },
  { limits: 'drain_timeout = "3s"' },
);
