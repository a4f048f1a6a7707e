/**
 * Arbitrary messages at master and router: from a site's template and workers (the puppet of test/attack, in the place
 * of php-cgi), and from the router's own place (a copy of its descriptor). Neither process ends over them, nobody outside
 * the site is signalled, and nothing is ever started under another uid than those of the sites and of the router.
 *
 * Bounded by time; the seed is told, so that what was found can be found again.
 */

import { once } from 'node:events';
import fc from 'fast-check';
import type { Test } from 'tap';
import { figuresBytes } from '../../src/control/figure-messages.js';
import { requestBytes, toMaster } from '../../src/control/router-messages.js';
import { noteBytes } from '../../src/control/worker-messages.js';
import { processTree, readProcess } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { control, statusOf } from '../attack/control.js';
import { compilePuppet, Puppet, puppetSite, ready, report } from '../attack/puppet.js';
import { askOnce, paramsFor } from '../harness/fcgi-client.js';
import { descriptors, ownMemoryKb } from '../harness/proc.js';
import { journey } from '../harness/world.js';
import { canary, isUntouched, Messenger } from './positions.js';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
/** For each of the two places, in milliseconds. */
const patienceMs = 3500;

const small = fc.oneof(fc.nat(6), fc.nat(300), fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
/** Numbers, 32 bits each, that look like a message of this many bytes; now and then of another type or length. */
const numbers = (bytes: number, types: number): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.array(small, { minLength: bytes / 4, maxLength: bytes / 4 }),
      fc.oneof(
        { weight: 30, arbitrary: fc.integer({ min: 1, max: types }) },
        { weight: 1, arbitrary: small },
      ),
      fc.oneof({ weight: 30, arbitrary: fc.constant(bytes) }, { weight: 1, arbitrary: fc.nat(4096) }),
    )
    .map(([words, type, length]) => {
      const message = Buffer.alloc(Math.max(length, bytes));
      for (const [at, word] of words.entries()) message.writeUInt32LE(word, at * 4);
      message.writeUInt32LE(type, 0);
      return message.subarray(0, Math.max(1, length));
    });

/** One thing after another until the time is over. */
async function forAWhile<T>(arbitrary: fc.Arbitrary<T>, act: (value: T) => Promise<void>): Promise<number> {
  const end = performance.now() + patienceMs;
  let count = 0;
  for (let round = 0; performance.now() < end; round += 1) {
    for (const value of fc.sample(arbitrary, { seed: seed + round, numRuns: 20 })) {
      await act(value);
      count += 1;
      if (performance.now() > end) break;
    }
  }
  return count;
}

await journey(async (t, world) => {
  t.comment(`FUZZ_SEED=${seed}`);
  const { guise } = world;
  guise.allowErrors(/./);
  const program = await compilePuppet(world);
  const hers = await puppetSite(guise, program, 'alice.test');
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob' });
  const root = canary(world, 0);
  const his = canary(world, bob.user.uid);
  const puppets = Puppet.listen(world, hers);
  const master = guise.pid;
  const visit = async (): Promise<string> =>
    (await askOnce(guise.socket, await paramsFor(guise, bob, '/index.php'))).body;
  await visit();

  const allowed = new Set([hers.user.uid, bob.user.uid, guise.routerUser.uid]);
  const strangers: string[] = [];
  const watch = setInterval(() => {
    for (const { entry } of processTree(master)) {
      // Between fork and exec, and while it loads its code, the router's process is root's: it has guise's own arguments.
      const isOwn = entry.uid === 0 && (entry.command.includes('guise') || entry.command === '');
      if (!isOwn && !allowed.has(entry.uid)) strangers.push(`${entry.uid} ${entry.command}`);
    }
  }, 20);

  const unharmed = async (t: Test): Promise<void> => {
    t.equal(guise.exit(), undefined, 'the master lives');
    for (const { pid } of [root, his]) t.ok(isUntouched(pid), `process ${pid} has got no signal`);
    t.same(strangers, [], 'nothing was started under a foreign uid');
    t.equal(
      await until('an answer for him', async () => (await visit()) || undefined),
      `front page of ${bob.name}`,
    );
    t.ok(descriptors(master).length < 60, `the master holds ${descriptors(master).length} descriptors`);
  };

  await t.test('from a template and its workers', async (t) => {
    const before = (await statusOf(guise)).routers[0];
    let puppet: Puppet | undefined;
    const alive = async (): Promise<Puppet> => {
      if (puppet?.isOpen === true) return puppet;
      const params = await paramsFor(guise, hers, '/index.php');
      const ask = (): void => void askOnce(guise.socket, params).catch(() => undefined);
      // A template that has ended too early is not followed by the next one at once.
      const again = setInterval(ask, 1000);
      ask();
      try {
        puppet = await puppets.next();
      } finally {
        clearInterval(again);
      }
      await puppet.tell(`send ${ready}`);
      const [worker] = [await puppet.order()];
      await puppet.tell(`born ${worker}`);
      return puppet;
    };
    const pids = fc.constantFrom(root.pid, his.pid, master, before?.pid ?? 1, 1, 0, -1);
    const hex = (bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<string> => bytes.map((b) => b.toString('hex'));
    const acts = fc.oneof(
      hex(numbers(40, 4)).map((bytes) => `send ${bytes}`),
      fc
        .tuple(fc.integer({ min: 1, max: 5 }), small, pids, fc.integer())
        .map(([type, worker, pid, status]) => `send ${report(type, worker, pid, status | 0)}`),
      fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(40), pids)
        .map(([type, worker, pid]) => `send ${report(type, worker, pid)}`),
      fc.tuple(hex(numbers(40, 4)), fc.nat(250)).map(([bytes, count]) => `carry ${bytes} ${count}`),
      fc.nat(40).map((worker) => `born ${worker}`),
      fc.nat(40).map((worker) => `flash ${worker}`),
      fc.tuple(fc.nat(3), hex(numbers(noteBytes, 3))).map(([at, bytes]) => `note ${at} ${bytes}`),
      fc
        .tuple(fc.nat(3), hex(numbers(noteBytes, 3)), fc.nat(3000))
        .map(([at, bytes, count]) => `notes ${at} ${bytes} ${count}`),
      fc.nat(3).map((at) => `hang ${at}`),
    );
    const count = await forAWhile(acts, async (command) => {
      await (await alive()).tell(command);
    });
    t.ok(count > 20, `${count} messages, ${puppets.started} templates`);
    puppet?.end();
    await unharmed(t);
    const after = (await statusOf(guise)).routers[0];
    t.same([after?.pid, after?.restarts], [before?.pid, before?.restarts], 'it is the same router still');
  });

  await t.test('from the router’s place', async (t) => {
    let router = 0;
    let said: Messenger | undefined;
    const alive = async (): Promise<Messenger> => {
      if (
        said !== undefined &&
        readProcess(router)?.state !== undefined &&
        readProcess(router)?.state !== 'Z'
      )
        return said;
      await said?.end();
      router = await until('a router', async () => {
        const entry = (await statusOf(guise)).routers[0];
        return entry?.alive === true ? entry.pid : undefined;
      });
      said = new Messenger(world, router);
      return said;
    };
    const acts = fc.tuple(
      fc.oneof(numbers(requestBytes, 6), numbers(figuresBytes, 6)),
      fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 500 })),
    );
    const count = await forAWhile(acts, async ([bytes, times]) => (await alive()).say(bytes, times));
    // Nearly each of them costs a router, and a machine that is busy needs a while for the next.
    t.ok(count > 3, `${count} messages`);
    await said?.end();
    await unharmed(t);
  });

  await t.test('figures of half a million sites that there are not', async (t) => {
    const router = await until(
      'a router',
      async () => (await statusOf(guise)).routers.find((one) => one.alive)?.pid,
    );
    const before = ownMemoryKb(master);
    // A router that stands still leaves the question open, and figures are taken for its answer.
    process.kill(router, 'SIGSTOP');
    const question = control(guise, 'GET', '/status').catch(() => '');
    const said = new Messenger(world, router);
    const figures = Buffer.alloc(figuresBytes);
    figures.writeUInt32LE(toMaster.siteFigures, 0);
    await said.say(figures, 500_000);
    await said.end();
    const grown = ownMemoryKb(master) - before;
    process.kill(router, 'SIGCONT');
    await question;
    t.ok(grown < 60_000, `the master has grown by ${grown} KiB`);
    await unharmed(t);
  });

  clearInterval(watch);
  for (const child of [root, his]) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
});
