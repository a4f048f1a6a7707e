/**
 * PHP settings of a site. What is locked stays as it is, whatever a script, a .user.ini, an .htaccess or another way
 * to the same file says; what is set may be changed; and a value arrives as it was written.
 */

import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { apacheFor } from '../harness/apache.js';
import { askOnce, paramsFor } from '../harness/fcgi-client.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

const page = `<?php
header('Content-Type: application/json');
$names = explode(',', $_GET['names']);
$before = array_map('ini_get', $names);
foreach ($names as $name) @ini_set($name, '123');
echo json_encode(['before' => array_combine($names, $before), 'after' => array_combine($names, array_map('ini_get', $names)),
    'phpinfo' => function_exists('phpinfo'), 'exec' => function_exists('exec')]);`;

interface Settings {
  readonly before: Readonly<Record<string, string | false>>;
  readonly after: Readonly<Record<string, string | false>>;
  readonly phpinfo: boolean;
  readonly exec: boolean;
}

const locked = {
  memory_limit: '77M',
  user_agent: 'theirs',
  'session.gc_maxlifetime': '999',
  // PHP takes this one only at its start, and a script can change it never.
  'opcache.max_accelerated_files': '1000',
};
const names = Object.keys(locked).join(',');
/** Each would be read as something else if it were not quoted as PHP's ini reader wants it. */
const odd = {
  user_agent: `it's "odd" \${HOME} \\n $x; a=b | c & d ! (e) ~`,
  'date.timezone': 'Europe/Berlin',
  error_reporting: 'E_ALL & ~E_NOTICE',
  auto_append_file: '',
  'highlight.comment': "'",
};

function settings(table: string, values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [
    '--set',
    `php_ini.${table}.${name}=${JSON.stringify(value)}`,
  ]);
}

await journey(async (t, world) => {
  const { guise } = world;
  const lock = settings('lock', { ...locked, disable_functions: 'phpinfo,exec' });
  const site = await guise.addSite({
    name: 'locked.test',
    user: 'alice',
    args: lock,
    files: { 'ini.php': page },
  });
  const free = await guise.addSite({
    name: 'set.test',
    user: 'bob',
    args: settings('set', { ...odd, precision: '7' }),
    files: { 'ini.php': page },
  });
  writeAs(
    site,
    '.htaccess',
    `SetEnv PHP_ADMIN_VALUE "memory_limit=555M"\nSetEnv PHP_VALUE "user_agent=mine"\n`,
  );
  writeAs(site, '.user.ini', 'memory_limit = 555M\nuser_agent = mine\ndisable_functions = \n');
  writeAs(site, 'sub/.user.ini', 'memory_limit = 555M\n');
  writeAs(site, 'sub/ini.php', page);
  const apache = await apacheFor(world, [site, free]);

  const ask = async (of: Site, path: string): Promise<Settings> => {
    const reply = await get(apache.at(of), path);
    return reply.json() as Settings;
  };
  /** A request as the web server would send it for a script with this name, which .htaccess can make it do. */
  const named = async (script: string): Promise<Settings> => {
    const params = await paramsFor(guise, site, `/ini.php?names=${names}`, { SCRIPT_FILENAME: script });
    return JSON.parse((await askOnce(guise.socket, params)).body) as Settings;
  };

  await t.test('locked values resist scripts, .user.ini and .htaccess', async (t) => {
    for (const path of ['/ini.php', '/sub/ini.php']) {
      const seen = await ask(site, `${path}?names=${names}`);
      t.same(seen.before, locked, path);
      t.same(seen.after, locked);
      t.same([seen.phpinfo, seen.exec], [false, false], 'and disabled functions are not there');
    }
  });

  await t.test('they hold for a script that is named by way of a link', async (t) => {
    const elsewhere = mkdtempSync('/var/tmp/guise-t-');
    t.teardown(() => rmSync(elsewhere, { recursive: true }));
    chmodSync(elsewhere, 0o755);
    symlinkSync(site.root, `${elsewhere}/www`);
    symlinkSync(site.root, `${site.root}/round`);
    for (const script of [
      `${site.root}/round/ini.php`,
      `${elsewhere}/www/ini.php`,
      `//${site.root}//./ini.php`,
    ]) {
      const seen = await named(script);
      t.same(seen.after, locked, script);
    }
  });

  await t.test('they hold when the root is a link that is replaced', async (t) => {
    renameSync(site.root, `${site.root}-7`);
    symlinkSync('www-7', site.root);
    await guise.says('reload');
    t.same((await ask(site, `/ini.php?names=${names}`)).after, locked, 'the root is a link');
    mkdirSync(`${site.root}-8`);
    const next = { ...site, root: `${site.root}-8` };
    writeAs(next, 'ini.php', page);
    symlinkSync('www-8', `${site.root}.new`);
    renameSync(`${site.root}.new`, site.root);
    t.same((await ask(site, `/ini.php?names=${names}`)).after, locked, 'and leads elsewhere');
    t.same((await named(`${site.root}-8/ini.php`)).after, locked, 'by the real name too');
  });

  await t.test('set values are there and may be changed', async (t) => {
    const seen = await ask(free, '/ini.php?names=precision');
    t.same(seen, { before: { precision: '7' }, after: { precision: '123' }, phpinfo: true, exec: true });
    writeAs(free, 'sub/.user.ini', 'precision = 9\n');
    writeAs(free, 'sub/ini.php', page);
    t.equal((await ask(free, '/sub/ini.php?names=precision')).before.precision, '9');
  });

  await t.test('values arrive as they were written', async (t) => {
    const { before } = await ask(free, `/ini.php?names=${Object.keys(odd).join(',')}`);
    t.same(before, { ...odd, error_reporting: '32759' }, 'constants of PHP where php.ini has them');
  });
});
