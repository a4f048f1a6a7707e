/** All of a site's workers are busy, and more visitors wait: they wait for that site only, and not in vain. */

import { rmSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { writeAs } from '../harness/guise.js';
import { get, type Reply } from '../harness/http.js';
import { arena, refused, type Side } from './arena.js';

const workers = 3;
const queue = 4;

/** Busy until it is told otherwise. */
const busy = `<?php
for ($i = 0; $i < 500 && !file_exists(__DIR__ . '/release'); $i++) { usleep(20000); clearstatcache(); }
echo 'released';`;

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const visitors = (side: Side, count: number): Promise<Reply>[] =>
      Array.from({ length: count }, () => get(side.apache(alice), '/busy.php'));
    const release = async (held: readonly Promise<Reply>[]): Promise<void> => {
      writeAs(alice, 'release', '');
      for (const reply of await Promise.all(held)) t.equal(reply.text(), 'released', 'who waits is served');
      rmSync(`${alice.root}/release`);
    };

    await t.test('php-fpm: whoever comes to a full pool waits without a word', async (t) => {
      const held = visitors(fpm, 5);
      const isPool = ({ command }: { command: string }): boolean => command.includes('php-fpm: pool');
      await until('a full pool', () => instance.processesOf(alice.user).filter(isPool).length >= 5);
      const late = await get(fpm.apache(alice), '/index.php', { deadlineMs: 500 }).catch(() => 'waits');
      t.equal(late, 'waits');
      t.equal(
        (await get(fpm.apache(bob), '/index.php', { deadlineMs: 500 })).status,
        200,
        'he has his own pool',
      );
      await release(held);
    });

    await t.test('guise: he is served, and her visitors hear that it is full', async (t) => {
      const status = () => instance.siteStatus(alice.name);
      const held = visitors(guise, workers);
      await until('all to be busy', async () => (await status()).workers.busy === workers);
      held.push(...visitors(guise, queue));
      await until('a full queue', async () => (await status()).queue.length === queue);
      const started = performance.now();
      t.equal((await get(guise.apache(bob), '/index.php')).text(), `front page of ${bob.name}`);
      t.ok(performance.now() - started < 1000, 'he does not wait for her');
      const late = await get(guise.apache(alice), '/index.php');
      await refused(t, instance, late, 503, 'queue-full');
      t.equal(late.headers['retry-after'], '5');
      await release(held);
    });
  },
  {
    alice: {
      args: ['--max-workers', String(workers), '--set', `queue_length=${queue}`],
      files: { 'busy.php': busy },
    },
  },
);
