/** Refusals that no file by itself can cause, each provoked behind a real Apache: its reference names its reason. */

import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { refusalTexts } from '../../src/router/refusal-texts.js';
import { refusalKinds } from '../../src/router/refusals.js';
import { apacheFor } from '../harness/apache.js';
import { writeAs } from '../harness/guise.js';
import { get, type Reply } from '../harness/http.js';
import { journey } from '../harness/world.js';

type Reason = keyof typeof refusalKinds;

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/worker died/);
  const site = await guise.addSite({
    name: 'told.test',
    user: 'alice',
    files: { 'die.php': '<?php posix_kill(posix_getpid(), 9);' },
    args: [
      '--max-workers',
      '1',
      '--set',
      'queue_length=1',
      'queue_timeout=5s',
      'time_limit=10s',
      'max_body=4K',
    ],
  });
  writeAs(site, 'dir.php/x.txt', '');
  const outside = site.root.replace(/www$/, 'outside.php');
  writeFileSync(outside, '<?php');
  const forged: Readonly<Record<string, readonly [string, string]>> = {
    'unnamed.php': ['SCRIPT_FILENAME', ''],
    'relative.php': ['SCRIPT_FILENAME', 'index.php'],
    'directory.php': ['SCRIPT_FILENAME', `${site.root}/dir.php`],
    'outside.php': ['SCRIPT_FILENAME', outside],
    'wrong.php': ['GUISE_KEY', 'ab'.repeat(32)],
    'keyless.php': ['GUISE_KEY', ''],
  };
  const forgeries = Object.entries(forged).map(
    ([name, [parameter, value]]) =>
      `ProxyFCGISetEnvIf "reqenv('SCRIPT_NAME') == '/${name}'" ${value === '' ? `!${parameter}` : `${parameter} "${value}"`}`,
  );
  const apache = await apacheFor(world, [site], {
    inside: ({ name }) => `ProxyFCGIBackendType GENERIC
ProxyFCGISetEnvIf "true" GUISE_KEY "${guise.keyOf(name) ?? ''}"
${forgeries.join('\n')}
<FilesMatch "\\.php$">
  SetHandler "proxy:unix:${guise.socket}|fcgi://x/"
</FilesMatch>`,
  });
  const ask = (path: string, body?: Buffer): Promise<Reply> =>
    get(apache.at(site), path, body === undefined ? {} : { body });
  const told = async (reply: Reply, reason: Reason): Promise<void> => {
    t.equal(reply.status, refusalKinds[reason].status, reason);
    const id = /Reference: ([0-9a-f]{12})/.exec(reply.text())?.[1] ?? 'none';
    const { code, stdout } = await guise.run('explain', '--id', id);
    t.equal(code, 0, `${reason}: ${stdout}`);
    t.ok(stdout.startsWith(`${id}: ${reply.status} ${reason}, `), stdout);
    t.match(stdout, refusalTexts[reason].meaning);
  };

  await told(await ask('/unnamed.php'), 'script-not-named');
  await told(await ask('/relative.php'), 'script-bad-path');
  await told(await ask('/directory.php'), 'script-not-regular');
  await told(await ask('/outside.php'), 'script-outside-root');
  await told(await ask('/wrong.php'), 'wrong-key');
  await told(await ask('/keyless.php'), 'no-key');
  await told(await ask('/body.php', Buffer.alloc(5000)), 'body-too-large');
  await told(await ask('/die.php'), 'worker-died');

  // The site's root goes, and Apache's document root stays.
  const link = site.root.replace(/www$/, 'current');
  symlinkSync('www', link);
  await guise.says('site', 'set', site.name, '--set', `root=${link}`);
  t.equal((await ask('/whoami.php')).status, 200);
  rmSync(link);
  await told(await ask('/outside.php'), 'script-no-root');
  symlinkSync('www', link);

  // One runs, one waits, and for a third there is no room.
  const first = ask('/slow.php?ms=60000');
  await until('the first to run', async () => (await guise.siteStatus(site.name)).workers.busy === 1);
  const second = ask('/whoami.php');
  await until('the second to wait', async () => (await guise.siteStatus(site.name)).queue.length === 1);
  await told(await ask('/whoami.php'), 'queue-full');
  await told(await second, 'queue-timeout');
  await told(await first, 'time-limit');
});
