/** What a site's file says holds for its PHP: settings that it starts with, settings that it cannot change, limits. */

import { existsSync, statSync } from 'node:fs';
import { apacheFor } from '../harness/apache.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { journey } from '../harness/world.js';

const page = `<?php
header('Content-Type: application/json');
$before = ini_get('memory_limit');
@ini_set('memory_limit', '999M');
file_put_contents(__DIR__ . '/made.txt', 'x');
session_start();
$_SESSION['n'] = 1;
session_write_close();
echo json_encode([
    'memory_limit' => [$before, ini_get('memory_limit')], 'precision' => ini_get('precision'),
    'locked' => [ini_set('user_agent', 'mine'), ini_get('user_agent')], 'env' => getenv('APP_ENV'),
    'nofile' => trim((string) shell_exec('ulimit -n')), 'session' => session_save_path() . '/sess_' . session_id(),
    'disabled' => function_exists('phpinfo'), 'tmp' => sys_get_temp_dir(), 'log' => ini_get('error_log'),
]);`;

await journey(async (t, world) => {
  const { guise } = world;
  const settings = [
    'php_ini.set.precision=7',
    'php_ini.lock.memory_limit=77M',
    'php_ini.lock.user_agent=theirs',
    'php_ini.lock.disable_functions=phpinfo',
    'env.APP_ENV=testing',
    'limits.nofile=333',
    'umask=027',
  ];
  const site = await guise.addSite({
    name: 'set.test',
    user: 'alice',
    args: settings.flatMap((one) => ['--set', one]),
  });
  const other = await guise.addSite({ name: 'other.test', user: 'bob' });
  for (const one of [site, other]) writeAs(one, 'settings.php', page);
  writeAs(site, '.user.ini', 'memory_limit = 555M\nprecision = 9\n');
  const apache = await apacheFor(world, [site, other]);
  const reply = await get(apache.at(site), '/settings.php');
  t.equal(reply.status, 200);
  const seen = reply.json() as Record<string, unknown>;
  const state = `${guise.instance.state}/sites/set.test`;

  t.same(seen.memory_limit, ['77M', '77M'], 'neither .user.ini nor ini_set changes what is locked');
  t.same(seen.locked, [false, 'theirs']);
  t.equal(seen.precision, '9', 'but .user.ini changes what is only set');
  t.equal(seen.disabled, false, 'a disabled function is not there');
  t.equal(seen.env, 'testing');
  t.equal(seen.nofile, '333');
  t.equal(seen.tmp, `${state}/tmp`);
  t.equal(statSync(`${site.root}/made.txt`).mode & 0o777, 0o640, 'umask');
  const session = String(seen.session);
  t.ok(
    session.startsWith(`${state}/sessions/`) && existsSync(session),
    'sessions lie in a directory of the site',
  );
  t.equal(statSync(`${state}/sessions`).mode & 0o777, 0o700);
  t.equal(seen.log, `${guise.instance.log}/sites/set.test/php.log`);
  t.type(readText(String(seen.log)), 'string');

  const neighbour = (await get(apache.at(other), '/settings.php')).json() as Record<string, unknown>;
  t.not(neighbour.env, 'testing', 'none of it holds for another site');
  t.same((neighbour.memory_limit as string[])[1], '999M');

  await t.test('the page of a small site with many limits still is a page', async (t) => {
    writeAs(site, 'eat.php', '<?php $a = str_repeat("x", 200 << 20); echo strlen($a);');
    const eaten = await get(apache.at(site), '/eat.php');
    t.equal(eaten.status, 500, 'memory_limit ends the page');
    t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    t.match(readText(String(seen.log)), 'Allowed memory size');
  });
});
