/**
 * At its time limit a request ends with everything that it has started. Programs try to outlive it by sessions, double
 * forks, reapers of their own, the death of their parents, and by forking faster than anybody looks.
 */

import { groupPath, removeTree } from '../harness/groups.js';
import { get } from '../harness/http.js';
import { arena, refused } from './arena.js';
import { caught, escapees, escapePages, placeEscapee, ways } from './escape.js';

const suicides = ['killer', 'orphan'] as const;
const others = ways.filter((way) => !suicides.some((suicide) => suicide === way));

const path = groupPath('attack');

for (const [name, cgroup] of [
  ['without control groups', 'off'],
  ['with control groups', path],
] as const) {
  await arena(
    async (t, { world, instance, alice, guise }) => {
      world.undo.push('remove the groups', () => removeTree(path));
      instance.allowErrors(/killed/);
      await placeEscapee(world, alice);
      for (const mode of ['pool', 'per-request'] as const) {
        await instance.says('site', 'set', alice.name, '--set', `mode=${mode}`);

        await t.test(`${name}, ${mode}: at the limit`, async (t) => {
          const replies = await Promise.all(
            others.map((way) => get(guise.apache(alice), `/escape.php?how=${way}`)),
          );
          for (const reply of replies) await refused(t, instance, reply, 504, 'time-limit');
          await caught(instance, alice);
          t.same(escapees(instance, alice), []);
        });

        for (const way of suicides) {
          await t.test(`${name}, ${mode}: ${way}`, async (t) => {
            t.equal((await get(guise.apache(alice), `/escape.php?how=${way}`)).status, 502);
            await caught(instance, alice);
            t.same(escapees(instance, alice), []);
          });
        }
      }

      await t.test(`${name}: she is served afterwards`, async (t) => {
        t.equal((await get(guise.apache(alice), '/index.php')).text(), `front page of ${alice.name}`);
      });
    },
    {
      alice: { args: ['--set', 'time_limit=1'], files: escapePages },
      toml: { limits: `cgroup = "${cgroup}"` },
    },
  );
}
