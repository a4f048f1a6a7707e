/**
 * `guise explain` on real files, as root: every reason of the script check that a file can have, each beside a file
 * that is right but for that one thing.
 */

import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { explained, failureOf, file, games, stranger, world } from './explaining.js';
import { run } from './run.js';

t.test('a script that runs, by file, URL, alias and name', async (t) => {
  const daemon = world(t);
  file(daemon, 'index.php');
  const path = `${daemon.root}/ok.php`;
  for (const args of [
    [path],
    ['http://a.example/ok.php'],
    ['https://WWW.a.example:8443/ok.php?x=1#y'],
    ['--site', 'a.example', path],
    ['--site', 'www.a.example', 'http://elsewhere.example/ok.php'],
  ]) {
    t.match(
      await explained(daemon, ...args),
      { code: 0, ok: true, site: 'a.example', user: 'games', script: path },
      args.join(' '),
    );
  }
  t.match(await explained(daemon, 'http://a.example/'), { ok: true, script: `${daemon.root}/index.php` });
  const { code, out, err } = await run('explain', `${path}/more`, '-c', daemon.configFile);
  t.equal(code, 0);
  t.equal(err, '');
  t.match(out, /^ok {4}file owner {7}\/.*\/www\/ok\.php$/m);
  t.match(out, /^ok {4}path info {8}\/more$/m);
  t.match(out, /\/ok\.php\/more would run as games$/);
});

t.test('every reason of the script check, what was found, and what mends it', async (t) => {
  const daemon = world(t);
  const { root, directory } = daemon;
  file(daemon, 'image.jpg');
  file(daemon, 'stranger.php', stranger);
  file(daemon, 'others-write.php', games.uid, 0o646);
  file(daemon, 'setuid.php', games.uid, 0o4755);
  file(daemon, 'hidden.php', games.uid, 0);
  file(daemon, 'closed/ok.php');
  chownSync(`${root}/closed`, 0, 0);
  chmodSync(`${root}/closed`, 0o700);
  chmodSync(dirname(file(daemon, 'open-dir/ok.php')), 0o777);
  chownSync(dirname(file(daemon, 'foreign-dir/ok.php')), stranger, stranger);
  file(daemon, `${directory}/outside.php`);
  symlinkSync(`${directory}/outside.php`, `${root}/link.php`);
  const table: readonly (readonly [string, string, string, string, RegExp])[] = [
    [
      'missing.php',
      'script-not-found',
      'missing.php',
      'ENOENT (no such file or directory)',
      /^ls -ld \S*missing/,
    ],
    ['ok.php\n', 'script-bad-path', 'ok.php\n', '', /document root/],
    ['link.php', 'script-outside-root', '../outside.php', '', /--set root=\S+$/],
    ['open-dir', 'script-not-regular', 'open-dir', 'mode 0777, a directory', /^ls -ld/],
    ['image.jpg', 'script-suffix', 'image.jpg', '', /suffixes/],
    [
      'stranger.php',
      'script-owner',
      'stranger.php',
      `owner uid ${stranger}`,
      /^chown games \S+stranger\.php$/,
    ],
    [
      'others-write.php',
      'script-writable',
      'others-write.php',
      'mode 0646',
      /^chmod go-w \S+others-write\.php$/,
    ],
    ['setuid.php', 'script-setid', 'setuid.php', 'mode 04755', /^chmod ug-s/],
    [
      'hidden.php',
      'script-unreadable',
      'hidden.php',
      'EACCES (permission denied)',
      /^chmod u\+r \S+hidden\.php$/,
    ],
    [
      'closed/ok.php',
      'script-unreadable',
      'closed',
      'EACCES (permission denied)',
      /^setfacl \S+ u:games:x \S+closed /,
    ],
    [
      'open-dir/ok.php',
      'script-dir-writable',
      'open-dir',
      'mode 0777, a directory',
      /^chmod go-w \S+open-dir$/,
    ],
    [
      'foreign-dir/ok.php',
      'script-dir-owner',
      'foreign-dir',
      `owner uid ${stranger}`,
      /^chown games \S+foreign-dir$/,
    ],
  ];
  for (const [name, reason, about, found, remedy] of table) {
    const explanation = await explained(daemon, '--site', 'a.example', `${root}/${name}`);
    t.match(explanation, { code: 1, ok: false, reason }, name);
    const step = failureOf(explanation);
    t.equal(
      step?.about,
      about.startsWith('..') ? `${directory}/${about.slice(3)}` : `${root}/${about}`,
      name,
    );
    t.match(step?.findings, [{ found, remedy }], name);
    t.equal(step?.findings?.[0]?.found, found, name);
    t.equal(explanation.steps.at(-1), step, 'it is the last step');
  }
});

t.test('the remedy mends it', async (t) => {
  const daemon = world(t);
  const path = file(daemon, 'others-write.php', games.uid, 0o666);
  const { out } = await run('explain', path, '-c', daemon.configFile);
  t.match(out, /^FAIL {2}file mode .*others-write\.php$/m);
  t.match(out, /^ {10}found: {4}mode 0666$/m);
  t.match(out, /^the request would be refused: 403 script-writable$/m);
  chmodSync(path, 0o644);
  t.match(await explained(daemon, path), { code: 0, ok: true });
});

t.test('a root that the user cannot reach', async (t) => {
  const daemon = world(t);
  chmodSync(daemon.directory, 0o700);
  const explanation = await explained(daemon, `${daemon.root}/ok.php`);
  t.match(explanation, { code: 1, reason: 'script-unreadable' });
  t.equal(failureOf(explanation)?.about, daemon.directory);
});

t.test('a name in a path cannot steer the terminal', async (t) => {
  const daemon = world(t);
  symlinkSync('ok.php', `${daemon.root}/plain.php`);
  mkdirSync(`${daemon.root}/\x1b[2Jdir`);
  chownSync(`${daemon.root}/\x1b[2Jdir`, games.uid, games.gid);
  symlinkSync('\x1b[2Jdir', `${daemon.root}/link`);
  file(daemon, `${daemon.root}/\x1b[2Jdir/x.php`, stranger);
  const { code, out } = await run('explain', `${daemon.root}/link/x.php`, '-c', daemon.configFile);
  t.equal(code, 1);
  t.notMatch(out, '\x1b');
  t.match(out, /\\x1b\[2Jdir/);
});
