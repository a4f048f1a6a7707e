/** The user of a site looks after his own, with the same command as the administrator. */

import { chmodSync } from 'node:fs';
import { packageRoot } from '../../src/os/addon.js';
import { type Finished, finish } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { askOnce, paramsFor } from '../harness/fcgi-client.js';
import { writeAs } from '../harness/guise.js';
import { readText } from '../harness/log.js';
import type { TestUser } from '../harness/users.js';
import { journey } from '../harness/world.js';

await journey(async (t, { guise }) => {
  const alice = await guise.addSite({
    name: 'alice.test',
    user: 'alice',
    args: ['--alias', 'www.alice.test'],
  });
  const direct = await guise.addSite({
    name: 'direct.test',
    user: 'alice',
    args: ['--set', 'socket=own', 'dispatch=direct', 'max_workers=1'],
  });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob' });
  guise.allowErrors(/control socket/);
  const { config } = guise.instance;
  const as = (user: TestUser, ...words: string[]): Promise<Finished> => {
    const who = ['--reuid', String(user.uid), '--regid', String(user.gid), '--init-groups'];
    return finish('setpriv', [
      ...who,
      process.execPath,
      `${packageRoot()}/bin/guise`,
      ...words,
      '-c',
      config,
    ]);
  };

  await t.test('what it does', async (t) => {
    const all = await as(alice.user, 'status');
    t.match(all, { code: 0, stdout: /^alice\.test +/m });
    t.notMatch(all.stdout, /bob|router/);
    t.match(await as(alice.user, 'status', 'www.alice.test'), {
      code: 0,
      stdout: /^ {2}workers\.limit +\d/m,
    });
    t.match(await as(alice.user, 'site', 'list'), { code: 0, stdout: /^alice\.test/m });
    t.match(await as(alice.user, 'ping'), { code: 0 });
  });

  await t.test('why a script would not run', async (t) => {
    const file = `${alice.root}/index.php`;
    t.match(await as(alice.user, 'explain', 'http://www.alice.test/index.php'), {
      code: 0,
      stdout: new RegExp(`${file} would run as ${alice.user.name}`),
    });
    chmodSync(file, 0o666);
    t.match(await as(alice.user, 'explain', file), { code: 1, stdout: /script-writable/ });
    chmodSync(file, 0o644);
  });

  await t.test('why a visitor was refused', async (t) => {
    for (const site of [alice, direct]) {
      writeAs(site, 'open.php', '<?php');
      chmodSync(`${site.root}/open.php`, 0o666);
      const at = site === alice ? guise.socket : `${guise.instance.run}/sites/${site.name}.sock`;
      const { body, status } = await askOnce(at, await paramsFor(guise, site, '/open.php'));
      t.equal(status, 403);
      const id = /Reference: ([0-9a-f]{12})/.exec(body)?.[1] ?? '';
      await until('its line', () =>
        readText(`${guise.instance.log}/sites/${site.name}/requests.log`).includes(id),
      );
      const told = await as(alice.user, 'explain', '--id', id);
      t.match(told.stdout, `${id}: 403 script-writable`);
      t.match(told.stdout, `${site.root}/open.php`);
      t.match(await guise.says('explain', '--id', id), `${id}: 403 script-writable`, 'and to root');
      t.match(await as(bob.user, 'explain', '--id', id), {
        code: 1,
        stdout: /the logs of your sites have no refusal/,
      });
      t.match(await as(alice.user, 'logs', site.name, '--refusals'), { code: 0, stdout: /script-writable/ });
    }
  });

  await t.test('a command as the site is for root', async (t) => {
    const { code, stderr } = await as(alice.user, 'run', 'alice.test', '--', 'id');
    t.equal(code, 4);
    t.match(stderr, "the site's own user can run the command itself");
  });

  await t.test('nothing of others, and nothing for administrators', async (t) => {
    t.match(await as(alice.user, 'status', 'bob.test'), { code: 7, stdout: '' });
    t.match(await as(alice.user, 'site', 'show', 'bob.test'), { code: 7, stdout: '' });
    t.match(await as(alice.user, 'explain', `${bob.root}/index.php`), { code: 7, stdout: '' });
    t.match(await as(alice.user, 'stop'), { code: 4, stderr: /NOT_PERMITTED|not for the user of a site/ });
    t.match(await as(alice.user, 'reload'), { code: 4 });
    t.match(await as(alice.user, 'site', 'set', 'alice.test', '--set', 'max_workers=99'), { code: 4 });
    t.equal(guise.exit(), undefined);
  });
});
