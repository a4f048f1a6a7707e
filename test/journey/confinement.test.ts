/**
 * A site reaches the machine's software and what is its own, and nothing of a neighbour, whose files are open to
 * everybody by their modes. A third site, which is not confined, shows that modes would allow it.
 */

import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { packageRoot } from '../../src/os/addon.js';
import { succeed } from '../../src/quickstart/command.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { journey } from '../harness/world.js';

/** Tries one thing with one path, by PHP itself and by a program that PHP starts. True when it worked. */
const reach = `<?php
header('Content-Type: application/json');
$path = $_GET['path'];
$shell = fn (string $command): bool => trim((string) shell_exec("($command) > /dev/null 2>&1 && echo yes")) === 'yes';
$quoted = escapeshellarg($path);
echo json_encode(match ($_GET['how']) {
    'read' => [@file_get_contents($path) !== false, $shell("cat $quoted")],
    'include' => [@include_once $path, true],
    'list' => [@scandir($path) !== false, $shell("ls $quoted")],
    'write' => [@file_put_contents($path, 'x', FILE_APPEND) !== false, $shell("echo x >> $quoted")],
    'truncate' => [@fopen($path, 'r+') !== false, $shell("truncate -s 0 $quoted")],
    'make' => [@touch("$path/made-by-php"), $shell("touch $quoted/made-by-program")],
    'move' => [@rename(__FILE__ . '.spare', "$path/moved"), $shell('mv ' . __FILE__ . ".more $quoted/moved-too")],
    'run' => [trim((string) shell_exec($path)) !== '', $shell($path)],
});`;

/** What applications do all the time. */
const ordinary = `<?php
header('Content-Type: application/json');
session_start();
$_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
session_write_close();
$temporary = tempnam(sys_get_temp_dir(), 'x');
$sub = __DIR__ . '/data/' . getmypid();
mkdir($sub, 0777, true);
file_put_contents("$sub/one", 'text');
rename("$sub/one", __DIR__ . '/two');
error_log('written to the log');
$process = proc_open(['/usr/bin/tr', 'a-z', 'A-Z'], [['pipe', 'r'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], 'piped');
fclose($pipes[0]);
echo json_encode([
    'session' => session_id() !== '', 'temporary' => $temporary !== false && unlink($temporary),
    'written' => file_get_contents(__DIR__ . '/two'), 'piped' => stream_get_contents($pipes[1]),
    'user' => posix_getpwuid(posix_getuid())['name'], 'host' => gethostbyname('localhost'),
    'zone' => (new DateTime('2026-07-01', new DateTimeZone('Europe/Berlin')))->format('T'),
    'random' => strlen(random_bytes(8)) + strlen(file_get_contents('/dev/urandom', false, null, 0, 4)),
    'load' => is_array(sys_getloadavg()), 'memory' => is_readable('/proc/meminfo') && filesize('/proc/meminfo') === 0
        && str_contains(file_get_contents('/proc/meminfo'), 'MemTotal'),
    'free' => disk_free_space(__DIR__) > 0, 'perl' => trim(shell_exec('perl -e "print 6*7"')),
    'input' => strlen(file_get_contents('php://stdin')), 'image' => function_exists('imagecreate') ? (bool) imagecreate(2, 2) : true,
]);`;

await journey(async (t, world) => {
  const { guise } = world;
  const files = { 'reach.php': reach, 'ordinary.php': ordinary };
  const shared = `${world.directory}/shared`;
  const spool = `${world.directory}/spool`;
  for (const directory of [shared, `${shared}/data`, `${shared}/fonts`, spool]) mkdirSync(directory);
  for (const directory of [shared, `${shared}/data`, `${shared}/fonts`]) chmodSync(directory, 0o777);
  writeFileSync(`${shared}/fonts/font`, 'font');
  writeFileSync(`${shared}/secret`, 'secret');
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice', files });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob', files });
  const carol = await guise.addSite({
    name: 'carol.test',
    user: 'carol',
    files,
    args: ['--set', 'confine=off'],
  });
  const dave = await guise.addSite({
    name: 'dave.test',
    user: 'dave',
    files,
    args: ['--set', `readable=["${shared}/fonts"]`, '--set', `writable=["${shared}/data"]`],
  });
  writeAs(bob, 'settings.php', '<?php return true;', 0o644);
  writeAs(bob, 'open.txt', 'everybody may write here', 0o666);
  writeAs(bob, 'open/program', '#!/bin/sh\necho ran\n', 0o755);
  for (const path of ['open.txt', 'open/program'])
    chmodSync(`${bob.root}/${path}`, path === 'open.txt' ? 0o666 : 0o755);
  chmodSync(`${bob.root}/open`, 0o777);
  const apache = await apacheFor(world, [alice, bob, carol, dave]);

  const tried = async (site: Site, how: string, path: string): Promise<boolean[]> => {
    for (const name of ['reach.php.spare', 'reach.php.more']) writeAs(site, name, 'x');
    const reply = await get(apache.at(site), `/reach.php?how=${how}&path=${encodeURIComponent(path)}`);
    return (reply.json() as unknown[]).map(Boolean);
  };

  await t.test('a confined site does what applications do', async (t) => {
    for (const site of [alice, bob]) {
      const reply = await get(apache.at(site), '/ordinary.php');
      t.equal(reply.status, 200);
      t.match(reply.json(), {
        session: true,
        temporary: true,
        written: 'text',
        piped: 'PIPED',
        user: site.user.name,
        host: '127.0.0.1',
        zone: 'CEST',
        random: 12,
        load: true,
        memory: true,
        free: true,
        perl: '42',
        input: 0,
        image: true,
      });
      t.match(readText(`${guise.instance.log}/sites/${site.name}/php.log`), 'written to the log');
    }
  });

  await t.test("a neighbour's files, whatever their modes", async (t) => {
    const attempts: readonly (readonly [string, string])[] = [
      ['read', `${bob.root}/settings.php`],
      ['include', `${bob.root}/settings.php`],
      ['list', bob.root],
      ['write', `${bob.root}/open.txt`],
      ['truncate', `${bob.root}/open.txt`],
      ['make', `${bob.root}/open`],
      ['move', `${bob.root}/open`],
      ['run', `${bob.root}/open/program`],
    ];
    for (const [how, path] of attempts) {
      t.notOk((await tried(alice, how, path))[0], `confined, ${how} by PHP`);
      if (how !== 'include') t.notOk((await tried(alice, how, path))[1], `confined, ${how} by a program`);
      t.ok((await tried(carol, how, path))[0], `not confined, ${how} by PHP`);
      t.ok((await tried(carol, how, path))[1], `not confined, ${how} by a program`);
    }
  });

  await t.test('nor by way of a link', async (t) => {
    symlinkSync(`${bob.root}/settings.php`, `${alice.root}/link`);
    symlinkSync(`${bob.root}/settings.php`, `${carol.root}/link`);
    t.same(await tried(alice, 'read', `${alice.root}/link`), [false, false]);
    t.same(await tried(carol, 'read', `${carol.root}/link`), [true, true]);
  });

  await t.test('places that belong to everybody, and to nobody', async (t) => {
    for (const path of ['/tmp', '/var/tmp', '/dev/shm']) {
      t.same(await tried(alice, 'list', path), [false, false], `list ${path}`);
      t.same(await tried(alice, 'make', path), [false, false], `make a file in ${path}`);
    }
    for (const path of ['/', '/home', '/var', '/proc', '/sys', '/run', '/srv', '/root', '/dev']) {
      t.same(await tried(alice, 'list', path), [false, false], `list ${path}`);
    }
    const { templatePid = 0 } = await guise.siteStatus(bob.name);
    t.ok(templatePid > 0);
    t.same(
      await tried(alice, 'read', `/proc/${templatePid}/cmdline`),
      [false, false],
      "a neighbour's process",
    );
    t.same(await tried(carol, 'read', `/proc/${templatePid}/cmdline`), [true, true]);
    for (const path of [guise.instance.state, guise.instance.log, guise.instance.run, guise.instance.sites]) {
      t.same(await tried(alice, 'list', path), [false, false], `list ${path}`);
    }
  });

  await t.test('further paths of a site', async (t) => {
    t.same(await tried(dave, 'read', `${shared}/fonts/font`), [true, true]);
    t.same(await tried(dave, 'write', `${shared}/fonts/font`), [false, false]);
    t.same(await tried(dave, 'make', `${shared}/data`), [true, true]);
    t.same(await tried(dave, 'read', `${shared}/secret`), [false, false], 'but nothing beside them');
    t.same(await tried(alice, 'read', `${shared}/fonts/font`), [false, false], 'and nobody else');
  });

  await t.test('a setgid program gets its group', async (t) => {
    // As a mail system has it: a directory that only a group may write, and a setgid program for everybody.
    const [group = 0] = world.guise.routerUser.groups;
    const program = `${world.directory}/submit`;
    const source = `${packageRoot()}/test/os/reaching.c`;
    await succeed('cc', ['-std=c11', '-o', program, source]);
    chownSync(program, 0, group);
    chmodSync(program, 0o2755);
    chownSync(spool, 0, group);
    chmodSync(spool, 0o730);
    const mail = `<?php echo json_encode([mail('a@example.com', 'subject', 'body'), posix_getgid()]);`;
    writeAs(alice, 'mail.php', mail);
    writeAs(bob, 'mail.php', mail);
    const submit = `php_ini.set.sendmail_path=${program} make ${spool}/`;
    const places = ['--set', `readable=["${program}"]`, '--set', `writable=["${spool}"]`];
    await guise.says('site', 'set', alice.name, ...places, '--set', `${submit}alice`);
    await guise.says(
      'site',
      'set',
      bob.name,
      ...places,
      '--set',
      `${submit}bob`,
      '--set',
      'no_new_privs=true',
    );
    await get(apache.at(alice), '/mail.php');
    await get(apache.at(bob), '/mail.php');
    t.equal(statSync(`${spool}/alice`).gid, group, 'and so could write');
    t.notOk(existsSync(`${spool}/bob`), 'but not with no_new_privs');
  });

  await t.test('a site that changes its mind', async (t) => {
    await guise.says('site', 'set', alice.name, '--set', 'confine=off');
    t.same(await tried(alice, 'read', `${bob.root}/settings.php`), [true, true]);
    await guise.says('site', 'set', alice.name, '--set', 'confine=landlock');
    t.same(await tried(alice, 'read', `${bob.root}/settings.php`), [false, false]);
  });

  await t.test('guise check knows paths that are missing', async (t) => {
    const { code, stderr } = await guise.run('site', 'set', dave.name, '--set', 'readable=["/no/such/path"]');
    t.not(code, 0);
    t.match(stderr, /\/no\/such\/path cannot be opened to the site/);
  });
});
