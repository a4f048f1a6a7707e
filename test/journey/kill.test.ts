/** `kill -9` of every kind of process while requests are running: what is lost is what that process was doing. */

import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../src/quickstart/until.js';
import { apacheFor, type TestApache } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

interface Outcome {
  readonly status: number;
  readonly body: string;
}

/** Asks with four visitors, one request after another, until it is told to stop. */
class Load {
  readonly outcomes: Outcome[] = [];
  #running = true;
  readonly #visitors: Promise<unknown>;

  constructor(apache: TestApache, sites: readonly Site[]) {
    this.#visitors = Promise.all(
      Array.from({ length: 4 }, async (_, visitor) => {
        const site = sites[visitor % sites.length] as Site;
        while (this.#running) {
          const reply = await get(apache.at(site), '/slow.php?ms=20').catch(() => undefined);
          this.outcomes.push({ status: reply?.status ?? 0, body: reply?.text() ?? '' });
        }
      }),
    );
  }

  count(good: boolean): number {
    return this.outcomes.filter((outcome) => (outcome.status === 200) === good).length;
  }

  /** Waits until as many further requests were answered well. */
  async answered(more: number): Promise<void> {
    const goal = this.count(true) + more;
    await until(`${more} further answers`, () => this.count(true) >= goal, 20_000);
  }

  async end(): Promise<void> {
    this.#running = false;
    await this.#visitors;
  }
}

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/./);
  const sites = [
    await guise.addSite({ name: 'a.test', user: 'alice' }),
    await guise.addSite({ name: 'b.test', user: 'bob', args: ['--mode', 'per-request'] }),
  ];
  const apache = await apacheFor(world, sites);
  const load = new Load(apache, sites);
  await load.answered(20);

  await t.test('a worker', async (t) => {
    for (let n = 0; n < 5; n += 1) {
      const victim = await until('a worker', async () => {
        const reply = await get(apache.at(sites[0] as Site), '/whoami.php');
        return reply.status === 200 ? (reply.json() as Whoami).pid : undefined;
      });
      const lost = load.count(false);
      process.kill(victim, 'SIGKILL');
      await load.answered(10);
      t.ok(load.count(false) - lost <= 1, 'costs at most its own request');
    }
  });

  await t.test('a template', async (t) => {
    const lost = load.count(false);
    for (const site of sites) {
      const { templatePid } = await guise.siteStatus(site.name);
      process.kill(templatePid ?? 0, 'SIGKILL');
      await load.answered(20);
      // More at once than there are workers: now somebody has to fork.
      const many = Array.from({ length: 8 }, () => get(apache.at(site), '/slow.php?ms=300'));
      for (const reply of await Promise.all(many)) t.equal(reply.status, 200);
      const now = (await guise.siteStatus(site.name)).templatePid;
      t.ok(now !== undefined && now !== templatePid, 'there is a new one');
    }
    t.equal(load.count(false) - lost, 0, 'costs nothing');
  });

  await t.test('the router', async (t) => {
    const slow = get(apache.at(sites[0] as Site), '/slow.php?ms=1500');
    await until('the slow request to run', async () => (await guise.siteStatus('a.test')).workers.busy >= 1);
    await delay(200);
    const router = await guise.routerPid();
    process.kill(router, 'SIGKILL');
    t.equal((await slow).status, 200, 'a request that a worker has finishes');
    await load.answered(20);
    t.not(await guise.routerPid(), router, 'there is a new one');
    t.equal((await guise.status()).routers[0]?.restarts, 1);
  });

  await load.end();
  for (const outcome of load.outcomes) {
    if (outcome.status === 200) t.match(outcome.body, /^\{"pid":\d+\}$/, 'what was answered is whole');
  }

  await t.test('the master', async (t) => {
    const slow = get(apache.at(sites[0] as Site), '/slow.php?ms=1000');
    await until('the slow request to run', async () => (await guise.siteStatus('a.test')).workers.busy >= 1);
    process.kill(guise.pid, 'SIGKILL');
    await until('the master to end', () => guise.exit());
    await slow.catch(() => undefined);
    await until('everything below it to end', () => guise.processes().length === 0, 20_000);
    await guise.start();
    for (const site of sites) t.equal((await get(apache.at(site), '/whoami.php')).status, 200, site.name);
  });
});
