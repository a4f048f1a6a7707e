/**
 * A visitor leaves while his request runs: where the site says so, all that the script has started ends then, behind
 * Apache, which notices when it has something to send to him, and behind nginx, which notices by itself. And at the time
 * limit nobody waits on, whatever a script has left to hold the connection.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { treeIsGone } from '../harness/neighbour.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

/** Goes on whoever listens, beside a program in a session of its own; speaks all the time where it is asked to. */
const work = `<?php
ignore_user_abort(true);
ob_end_flush();
exec('setsid -f sleep 600 > /dev/null 2>&1');
file_put_contents(__DIR__ . '/begun', getmypid());
for ($i = 0; $i < 20; $i++) { usleep(50_000); if (isset($_GET['aloud'])) { echo str_repeat('x', 8192); flush(); } }
file_put_contents(__DIR__ . '/done', '');`;

/** Says something, or not, and hangs; beside a program in a session of its own. */
const hang = `<?php
exec('setsid -f sleep 600 > /dev/null 2>&1');
if (isset($_GET['aloud'])) { header('Content-Length: 1000000'); echo str_repeat('x', 200_000); flush(); }
for (;;) usleep(1000);`;

/** A request that hangs has ended within so many times the limit; it would never end by itself. */
const soon = 8;

await journey(async (t, world) => {
  const { guise } = world;
  const files = { 'work.php': work, 'hang.php': hang };
  const add = (name: string, ...args: string[]): Promise<Site> =>
    guise.addSite({ name: `${name}.test`, user: name, files, args });
  const stops = await add('stops', '--set', 'on_disconnect=stop');
  const goesOn = await add('goes');
  const limited = await add('limited', '--set', 'time_limit=1s');
  const sites = [stops, goesOn, limited];
  const servers = { Apache: await apacheFor(world, sites), nginx: await nginxFor(world, sites) };

  /** Asks for the page, and leaves when it has begun; answers with the worker's pid. */
  const visit = async (server: keyof typeof servers, site: Site): Promise<number> => {
    for (const name of ['begun', 'done']) rmSync(`${site.root}/${name}`, { force: true });
    const leaving = new AbortController();
    const path = server === 'Apache' ? '/work.php?aloud' : '/work.php';
    const visitor = get(servers[server].at(site), path, { signal: leaving.signal }).catch(() => undefined);
    await until('the script to begin', () => existsSync(`${site.root}/begun`));
    await until('its program', () =>
      guise.processesOf(site.user).some(({ command }) => /^sleep/.test(command)),
    );
    leaving.abort();
    await visitor;
    return Number(readFileSync(`${site.root}/begun`, 'latin1'));
  };

  for (const server of ['Apache', 'nginx'] as const) {
    await t.test(`${server}: a request that stops with its visitor`, async (t) => {
      const worker = await visit(server, stops);
      await until('the end of the worker', () => !existsSync(`/proc/${worker}`));
      await treeIsGone(t, guise, stops, /sleep/);
      t.notOk(existsSync(`${stops.root}/done`), 'it did not come to its end');
      const [line] = await guise.logged(new RegExp(`"site":"${stops.name}".*visitor-left`));
      t.match(line, { reason: 'visitor-left' });
      t.equal((await get(servers[server].at(stops), '/index.php')).status, 200, 'the site is served');
    });

    await t.test(`${server}: whoever stays until the end stops nothing`, async (t) => {
      const ended = (): number =>
        guise.log().filter(({ msg, reason }) => reason === 'visitor-left' || msg === 'worker died').length;
      const before = ended();
      for (let n = 0; n < 50; n += 1) await get(servers[server].at(stops), '/index.php');
      t.equal(ended(), before);
    });

    await t.test(`${server}: one that goes on`, async (t) => {
      await visit(server, goesOn);
      await until('its end', () => existsSync(`${goesOn.root}/done`));
      await treeIsGone(t, guise, goesOn, /sleep/);
    });

    await t.test(`${server}: the time limit`, async (t) => {
      const started = performance.now();
      await get(servers[server].at(goesOn), '/slow.php?ms=1000');
      const limitMs = performance.now() - started;
      for (const path of ['/hang.php', '/hang.php?aloud']) {
        const began = performance.now();
        const status = await get(servers[server].at(limited), path).then(
          (reply) => reply.status,
          () => 'broken off',
        );
        t.equal(status, path === '/hang.php' ? 504 : 'broken off', path);
        t.ok(performance.now() - began < soon * limitMs, 'and nobody waits on');
        await treeIsGone(t, guise, limited, /sleep/);
      }
    });
  }
});
