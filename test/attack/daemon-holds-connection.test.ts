/**
 * A program that a script leaves running inherits the connection to the web server. When the script then dies, the
 * visitor waits for as long as that program runs.
 */

import { readProcess } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { get, type Reply } from '../harness/http.js';
import { arena, refused } from './arena.js';

/** How long the program stays, in seconds: longer than any visitor of this test waits. */
const stays = 20;
const patienceMs = 2000;

/** Leaves a program running, which keeps every descriptor that it got, and dies. */
const leave = `<?php
shell_exec('sleep ${stays} > /dev/null 2>&1 &');
file_put_contents(__DIR__ . '/left.txt', "$pid\\n", FILE_APPEND);
if (isset($_GET['answer'])) exit('answered');
posix_kill(getmypid(), 9);
sleep(10);`;

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    const impatient = async (page: string, at = guise.apache(alice)): Promise<Reply | 'waits in vain'> =>
      get(at, page, { deadlineMs: patienceMs }).catch(() => 'waits in vain' as const);

    await t.test('php-fpm: the visitor waits in vain', async (t) => {
      t.equal(await impatient('/leave.php', fpm.apache(alice)), 'waits in vain');
    });

    for (const web of guise.webs) {
      await t.test(`guise behind ${web.name}: the visitor has an answer at once`, async (t) => {
        const reply = await impatient('/leave.php', web.at(alice));
        if (reply === 'waits in vain') t.fail(reply);
        else await refused(t, instance, reply, 502, 'worker-died');
        const answered = await impatient('/leave.php?answer', web.at(alice));
        t.equal(answered === 'waits in vain' ? answered : answered.text(), 'answered');
      });
    }

    await t.test('php-fpm leaves the program, guise ends it', async (t) => {
      const left = await until('the end of those of guise', () => {
        const all = instance.processesOf(alice.user).filter(({ command }) => command === `sleep ${stays}`);
        return all.length === 1 ? all : undefined;
      });
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      await until('its end', () => left.every(({ pid }) => readProcess(pid) === undefined));
      t.pass();
    });
  },
  { nginx: true, alice: { files: { 'leave.php': leave } } },
);
