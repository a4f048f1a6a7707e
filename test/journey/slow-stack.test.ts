/**
 * Where a slow script is: its PHP stack in the slow log, read from outside by a process of the site's user, in both
 * lanes. The script is not disturbed; a script that breaks its own memory, or that runs as fast as it can while it is read,
 * costs a stack and nothing else; nobody of the site's can look into the reader.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { finish } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

const library = `<?php
namespace Shop;
class Cart {
  static function total(int $ms) { return array_sum(array_map(function ($n) use ($ms) {
    usleep($ms * 1000);
    return $n;
  }, [1])); }
}
`;
const page = `<?php
require 'cart.php';
function show($ms) {
  return Shop\\Cart::total($ms);
}
echo show((int) $_GET['ms']);
`;
const busy = `<?php
function spin($n) { return $n < 1 ? strlen(str_repeat('x', 50)) : spin($n - 1); }
$end = microtime(true) + (float) $_GET['s'];
while (microtime(true) < $end) spin(20);
echo 'done';`;
const files = { 'cart.php': library, 'page.php': page, 'busy.php': busy };

await journey(async (t, world) => {
  const { guise } = world;
  const { instance } = guise;
  const slow = ['--set', 'slow_after=300ms'];
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice', files, args: slow });
  const bob = await guise.addSite({
    name: 'bob.test',
    user: 'bob',
    files,
    args: [...slow, 'socket=own', 'dispatch=direct', 'max_workers=2'],
  });
  const servers = [await apacheFor(world, [alice, bob]), await nginxFor(world, [alice, bob])] as const;
  const lineOf = (site: Site, uri: string) =>
    until(`a line for ${uri}`, () =>
      readText(`${instance.log}/sites/${site.name}/slow.log`)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { uri: string; pid: number; stack?: string[]; noStack?: string })
        .find((line) => line.uri === uri),
    );

  for (const [n, server] of servers.entries()) {
    for (const site of [alice, bob]) {
      await t.test(`${site.name} behind ${n === 0 ? 'Apache' : 'nginx'}`, async (t) => {
        const uri = `/page.php?ms=2500&n=${n}`;
        const visit = get(server.at(site), uri);
        const { stack, noStack } = await lineOf(site, uri);
        t.equal(noStack, undefined);
        t.same(stack, [
          'usleep()',
          `Shop\\Cart::Shop\\{closure}() ${site.root}/cart.php:5`,
          'array_map()',
          `Shop\\Cart::total() ${site.root}/cart.php:4`,
          `show() ${site.root}/page.php:4`,
          `main ${site.root}/page.php:6`,
        ]);
        const reply = await visit;
        t.equal(reply.text(), '1', 'the script has slept for as long as it wanted');
      });
    }
  }

  await t.test('as people read it', async (t) => {
    const text = await guise.says('logs', alice.name, '--slow');
    t.match(text, /runs for \d+ms: state S.*\n {4}usleep\(\)\n {4}Shop\\Cart::/);
  });

  await t.test('a script that computes', async (t) => {
    const visits = [1, 2].map((n) => get(servers[0].at(alice), `/busy.php?s=1&n=${n}`));
    for (const n of [1, 2]) {
      const line = await lineOf(alice, `/busy.php?s=1&n=${n}`);
      t.ok(Array.isArray(line.stack) || line.noStack !== undefined, JSON.stringify(line));
      for (const frame of line.stack ?? []) t.ok(frame.length < 520, frame.slice(0, 80));
    }
    for (const reply of await Promise.all(visits)) t.equal(reply.text(), 'done');
  });

  await t.test('the reader cannot be read', async (t) => {
    const [name = ''] = readdirSync(`${instance.run}/lib`).filter((file) =>
      file.startsWith('guise-php-stack'),
    );
    const path = `${instance.run}/lib/${name}`;
    t.equal(statSync(path).mode & 0o777, 0o711);
    t.not((await finish('runuser', ['-u', alice.user.name, '--', 'cat', path])).code, 0);
    const run = await finish('runuser', ['-u', alice.user.name, '--', path, '1', '1026']);
    t.match(run.stdout, '!unreadable', 'without a memory it says so');
    const copy = `${world.directory}/readable`;
    await finish('install', ['-m', '755', path, copy]);
    const refused = await finish('runuser', ['-u', alice.user.name, '--', copy, '1', '1026']);
    t.match(refused.stdout, '!unsafe', 'where it could be traced it reads nothing');
    t.equal(readFileSync(`/proc/${guise.pid}/status`, 'utf8').includes('TracerPid:\t0'), true);
  });
});
