/**
 * The script check, as the site's user, on real files: every reason once, each beside a file that is right but for
 * that one thing.
 */

import { chmodSync, chownSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { noteDone, noteRefused } from '../../src/control/worker-messages.js';
import { scriptReason } from '../../src/router/refusals.js';
import { type Answer, Rig, siteUid } from './rig.js';

const page = '<?php echo __FILE__;';
const stranger = 64_950;

async function rigFor(t: Test, options = {}): Promise<Rig> {
  const rig = new Rig(options);
  t.teardown(() => rig.stop());
  rig.file('ok.php', page);
  await rig.start();
  await rig.fork(1);
  return rig;
}

function ask(rig: Rig, script: string): Promise<Answer> {
  return rig.run({ SCRIPT_FILENAME: script, REQUEST_METHOD: 'GET' });
}

function reasonOf(answer: Answer): string {
  return answer.note.type === noteRefused ? scriptReason(answer.note.status) : 'runs';
}

t.test('a script of the site runs', async (t) => {
  const rig = await rigFor(t);
  const answer = await ask(rig, `${rig.root}/ok.php`);
  t.equal(answer.note.type, noteDone);
  t.equal(answer.note.status, 200);
  t.match(answer.stdout, new RegExp(`${rig.root}/ok.php$`));
});

t.test('every reason to refuse', async (t) => {
  const rig = await rigFor(t);
  const { root } = rig;
  rig.file('sub/ok.php', page);
  rig.file('img.jpg', page);
  rig.file('UPPER.PHP', page);
  rig.file('stranger.php', page, stranger);
  rig.file('roots.php', page, 0);
  rig.file('others-write.php', page, siteUid, 0o646);
  rig.file('group-writes.php', page, siteUid, 0o664, stranger);
  rig.file('own-group-writes.php', page, siteUid, 0o664);
  rig.file('setuid.php', page, siteUid, 0o4755);
  rig.file('hidden.php', page, siteUid, 0o000);
  rig.file('open-dir/ok.php', page);
  chmodSync(`${root}/open-dir`, 0o777);
  rig.file('group-dir/ok.php', page);
  chownSync(`${root}/group-dir`, siteUid, stranger);
  chmodSync(`${root}/group-dir`, 0o775);
  rig.file('foreign-dir/ok.php', page);
  chownSync(`${root}/foreign-dir`, stranger, stranger);
  rig.file(`${rig.directory}/outside.php`, page);
  mkdirSync(`${root}2`);
  rig.file(`${root}2/ok.php`, page);
  symlinkSync(`${rig.directory}/outside.php`, `${root}/link-out.php`);
  symlinkSync(`${root}/img.jpg`, `${root}/link-to-image.php`);
  symlinkSync('sub/ok.php', `${root}/link-in.php`);
  mkdirSync(`${root}/dir.php`);

  const table: readonly (readonly [string, string])[] = [
    [`${root}/ok.php`, 'runs'],
    [`${root}/sub/ok.php`, 'runs'],
    [`${root}/link-in.php`, 'runs'],
    [`${root}/own-group-writes.php`, 'runs'],
    [`${root}/group-dir/ok.php`, 'script-dir-writable'],
    ['', 'script-not-named'],
    ['ok.php', 'script-bad-path'],
    [`${root}/sub/../ok.php`, 'script-bad-path'],
    [`${root}/ok.php\0.jpg`, 'script-bad-path'],
    [`${root}/ok.php\n`, 'script-bad-path'],
    [`${root}/${'a/'.repeat(3000)}ok.php`, 'script-bad-path'],
    [`${root}/missing.php`, 'script-not-found'],
    [`${rig.directory}/outside.php`, 'script-outside-root'],
    [`${root}/link-out.php`, 'script-outside-root'],
    [`${root}2/ok.php`, 'script-outside-root'],
    ['/etc/passwd', 'script-outside-root'],
    [root, 'script-outside-root'],
    [`${root}/sub`, 'script-not-regular'],
    [`${root}/dir.php`, 'script-not-regular'],
    [`${root}/img.jpg`, 'script-suffix'],
    [`${root}/img.jpg/x.php`, 'script-suffix'],
    [`${root}/link-to-image.php`, 'script-suffix'],
    [`${root}/UPPER.PHP`, 'script-suffix'],
    [`${root}/stranger.php`, 'script-owner'],
    [`${root}/roots.php`, 'script-owner'],
    [`${root}/others-write.php`, 'script-writable'],
    [`${root}/group-writes.php`, 'script-writable'],
    [`${root}/setuid.php`, 'script-setid'],
    [`${root}/hidden.php`, 'script-unreadable'],
    [`${root}/open-dir/ok.php`, 'script-dir-writable'],
    [`${root}/foreign-dir/ok.php`, 'script-dir-owner'],
  ];
  for (const [script, expected] of table) {
    const answer = await ask(rig, script);
    t.equal(reasonOf(answer), expected, JSON.stringify(script.slice(0, 80)));
    if (expected !== 'runs') t.equal(answer.stdout, '', 'nothing was written');
  }
});

t.test('what was found comes along', async (t) => {
  const rig = await rigFor(t);
  rig.file('stranger.php', page, stranger);
  rig.file('others-write.php', page, siteUid, 0o646);
  t.equal((await ask(rig, `${rig.root}/stranger.php`)).note.found, stranger);
  t.equal((await ask(rig, `${rig.root}/others-write.php`)).note.found & 0o7777, 0o646);
  t.equal((await ask(rig, `${rig.root}/missing.php`)).note.found, 2, 'ENOENT');
});

t.test('an owner that the site trusts', async (t) => {
  const rig = await rigFor(t, { owners: `0,${stranger}` });
  rig.file('roots.php', page, 0);
  rig.file('stranger.php', page, stranger);
  rig.file('other.php', page, stranger + 1);
  t.equal(reasonOf(await ask(rig, `${rig.root}/roots.php`)), 'runs');
  t.equal(reasonOf(await ask(rig, `${rig.root}/stranger.php`)), 'runs');
  t.equal(reasonOf(await ask(rig, `${rig.root}/other.php`)), 'script-owner');
});

t.test('a release directory behind a symbolic link', async (t) => {
  const rig = new Rig();
  t.teardown(() => rig.stop());
  rig.file('ok.php', page);
  renameSync(rig.root, `${rig.directory}/release-7`);
  symlinkSync('release-7', rig.root);
  await rig.start();
  await rig.fork(1);
  t.equal(reasonOf(await ask(rig, `${rig.root}/ok.php`)), 'runs');
});

t.test('a script is named by way of the directory that the root is written with', async (t) => {
  const rig = await rigFor(t);
  rig.file('sub/show.php', '<?php echo $_SERVER["SCRIPT_FILENAME"], "\n", __FILE__;');
  const elsewhere = mkdtempSync('/var/tmp/guise-alias-');
  t.teardown(() => rmSync(elsewhere, { recursive: true }));
  chmodSync(elsewhere, 0o755);
  symlinkSync(rig.root, `${elsewhere}/www`);
  symlinkSync(rig.root, `${rig.directory}/alias`);
  const real = `${rig.root}/sub/show.php`;
  const shown = async (script: string) => (await ask(rig, script)).stdout.split('\r\n\r\n')[1]?.split('\n');
  t.same(await shown(real), [real, real]);
  t.same(
    await shown(`${rig.directory}/alias/sub/show.php`),
    [`${rig.directory}/alias/sub/show.php`, real],
    'another way below the same top directory is kept',
  );
  t.same(await shown(`${elsewhere}/www/sub/show.php`), [real, real], 'any other is not');
});

t.test('a root that has gone', async (t) => {
  const rig = await rigFor(t);
  rig.file(`${rig.directory}/outside.php`, page);
  renameSync(rig.root, `${rig.directory}/moved`);
  t.equal(reasonOf(await ask(rig, `${rig.directory}/outside.php`)), 'script-no-root');
});

t.test('malformed parameters', async (t) => {
  const rig = await rigFor(t);
  for (const block of [[5], [0x80], [3, 200, 65, 65], [0xff, 0xff, 0xff, 0xff, 1, 65]]) {
    t.equal(reasonOf(await rig.runRaw(Buffer.from(block))), 'script-bad-params', JSON.stringify(block));
  }
  t.equal(reasonOf(await ask(rig, `${rig.root}/ok.php`)), 'runs', 'and the worker goes on');
});
