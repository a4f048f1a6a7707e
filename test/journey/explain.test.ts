/**
 * A refusal that a visitor meets behind a real Apache, and what the administrator is then told: by the reference on
 * the visitor's page, by the URL, and by the file, always the same reason.
 */

import { chmodSync, chownSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Explanation } from '../../src/explain/checks.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get, type Reply } from '../harness/http.js';
import { journey } from '../harness/world.js';

const page = '<?php echo "ran";';

/** Beside files that are right, one for every reason of the script check that a file can have. */
function spoil(site: Site, stranger: { uid: number; gid: number }): void {
  const { root } = site;
  for (const name of ['open-dir/x.php', 'foreign-dir/x.php', 'closed/x.php', 'stranger.php', 'image.jpg'])
    writeAs(site, name, page);
  chmodSync(`${root}/open-dir`, 0o777);
  chownSync(`${root}/foreign-dir`, stranger.uid, stranger.gid);
  chownSync(`${root}/closed`, 0, 33);
  chmodSync(`${root}/closed`, 0o750);
  chownSync(`${root}/stranger.php`, stranger.uid, stranger.gid);
  writeAs(site, 'writable.php', page, 0o644);
  chmodSync(`${root}/writable.php`, 0o666);
  writeAs(site, 'setuid.php', page);
  chmodSync(`${root}/setuid.php`, 0o4755);
  writeAs(site, 'hidden.php', page, 0);
  chmodSync(`${root}/hidden.php`, 0);
  writeAs(site, '../outside.php', page);
  symlinkSync('../outside.php', `${root}/link.php`);
  writeAs(site, 'dir.php/index.html', '');
}

const reasons = [
  ['/missing.php', 'script-not-found'],
  ['/link.php', 'script-outside-root'],
  ['/image.jpg', 'script-suffix'],
  ['/stranger.php', 'script-owner'],
  ['/writable.php', 'script-writable'],
  ['/setuid.php', 'script-setid'],
  ['/hidden.php', 'script-unreadable'],
  ['/closed/x.php', 'script-unreadable'],
  ['/open-dir/x.php', 'script-dir-writable'],
  ['/foreign-dir/x.php', 'script-dir-owner'],
] as const;

const referenceOf = (reply: Reply): string => /Reference: ([0-9a-f]{12})/.exec(reply.text())?.[1] ?? '';

await journey(async (t, world) => {
  const { guise, users } = world;
  const site = await guise.addSite({ name: 'told.test', user: 'alice' });
  const keyless = await guise.addSite({ name: 'keyless.test', user: 'bob' });
  const unknown = { ...site, name: 'unknown.test' };
  spoil(site, await users.get('stranger'));
  // Without the usual look whether the file is there, which would keep half of this from guise.
  const apache = await apacheFor(world, [site, keyless, unknown], {
    inside: ({ name }) => `ProxyFCGIBackendType GENERIC
${name === site.name ? `ProxyFCGISetEnvIf "true" GUISE_KEY "${guise.keyOf(name) ?? ''}"` : ''}
<FilesMatch "\\.(php|jpg)$">
  SetHandler "proxy:unix:${guise.socket}|fcgi://x/"
</FilesMatch>`,
  });
  const explainId = async (reply: Reply): Promise<Record<string, unknown>> => {
    const told = await guise.run('explain', '--id', referenceOf(reply), '--json');
    return { code: told.code, ...(JSON.parse(told.stdout) as object) };
  };
  const explain = async (...args: string[]): Promise<Explanation & { code: number }> => {
    const told = await guise.run('explain', ...args, '--json');
    return { code: told.code, ...(JSON.parse(told.stdout) as Explanation) };
  };

  await t.test('a script that runs', async (t) => {
    t.equal((await get(apache.at(site), '/whoami.php')).status, 200);
    for (const what of [`http://${site.name}/whoami.php`, `${site.root}/whoami.php`]) {
      t.match(await explain(what), { code: 0, ok: true, site: site.name, user: site.user.name }, what);
    }
  });

  await t.test('every reason of the script check', async (t) => {
    for (const [path, reason] of reasons) {
      const reply = await get(apache.at(site), path);
      t.match(reply.text(), 'Reference: ', `${path} is refused by guise`);
      t.match(
        await explainId(reply),
        { code: 0, known: true, reason, site: site.name, status: reply.status },
        path,
      );
      const what = reason === 'script-owner' ? `${site.root}${path}` : `http://${site.name}${path}`;
      t.match(await explain('--site', site.name, what), { code: 1, ok: false, reason }, what);
    }
  });

  await t.test('requests that belong to no site', async (t) => {
    t.match(await explainId(await get(apache.at(keyless), '/whoami.php')), { reason: 'no-key' });
    t.match(await explainId(await get(apache.at(unknown), '/whoami.php')), { reason: 'no-site' });
    t.match(await explain('http://unknown.test/whoami.php'), { code: 1, reason: 'no-site' });
    const reply = await get(apache.at(keyless), '/whoami.php', { headers: { 'GUISE-KEY': 'x' } });
    t.match(await explainId(reply), { reason: 'no-key' }, 'a header is no key');
  });

  await t.test('a remedy, carried out, mends it', async (t) => {
    const told = await explain(`${site.root}/stranger.php`);
    const remedy = told.steps.find(({ ok }) => !ok)?.findings?.[0]?.remedy ?? '';
    t.equal(remedy, `chown ${site.user.name} ${site.root}/stranger.php`);
    chownSync(`${site.root}/stranger.php`, site.user.uid, site.user.gid);
    t.match(await explain(`${site.root}/stranger.php`), { code: 0, ok: true });
    t.equal((await get(apache.at(site), '/stranger.php')).text(), 'ran');
  });

  await t.test(
    'a root that has gone, a socket that was opened, a file that is newer than the daemon',
    async (t) => {
      const file = `${site.root}/whoami.php`;
      renameSync(site.root, `${site.root}-moved`);
      const parked = await explain('--site', site.name, file);
      t.match(parked, { code: 1 });
      t.match(parked.steps.at(-1), { step: 'site', ok: false, findings: [{ message: /root/ }] });
      renameSync(`${site.root}-moved`, site.root);

      chmodSync(guise.socket, 0o777);
      t.match(
        (await explain(file)).steps.find(({ ok }) => !ok),
        { step: 'socket' },
      );
      chmodSync(guise.socket, 0o666);

      const text = `name = "late.test"\nroot = "${site.root}"\nuser = "${site.user.name}"\nkey = "${'ab'.repeat(32)}"\n`;
      writeFileSync(`${guise.instance.sites}/late.toml`, text, { mode: 0o600 });
      const late = await explain('http://late.test/whoami.php');
      t.match(
        late.steps.find(({ ok }) => !ok),
        { step: 'daemon', findings: [{ remedy: 'guise reload' }] },
      );
      await guise.says('reload');
      t.match(await explain('http://late.test/whoami.php'), { code: 0, ok: true });
    },
  );
});
