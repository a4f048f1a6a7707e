/** The victim's own script, run for the attacker with a REMOTE_USER and an HTTPS of her choice. */

import { get } from '../harness/http.js';
import { arena, forge, handOver, htaccess, refused } from './arena.js';

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const forged = [
      forge('SCRIPT_FILENAME', `${bob.root}/admin.php`),
      forge('SCRIPT_NAME', '/admin.php'),
      forge('DOCUMENT_ROOT', bob.root),
      forge('SERVER_NAME', bob.name),
      forge('HTTP_HOST', bob.name),
      forge('REMOTE_USER', 'admin'),
      forge('HTTPS', 'on'),
    ];
    const open = `uid ${bob.user.uid}, logged in: admin, connection: encrypted, the safe is open`;

    await t.test('an honest visitor is nobody', async (t) => {
      for (const side of [fpm, guise]) {
        for (const web of side.webs) {
          const reply = await get(web.at(bob), '/admin.php', {
            headers: { 'remote-user': 'admin', https: 'on' },
          });
          t.match(reply.text(), `uid ${bob.user.uid}`, `${side.name} behind ${web.name}`);
          t.match(reply.text(), /logged in: (nobody)?, connection: plain$/);
        }
      }
    });

    await t.test('php-fpm: the safe is open', async (t) => {
      htaccess(alice, ...handOver('admin.php', fpm.service.listen(bob)), ...forged);
      t.equal((await get(fpm.apache(alice), '/admin.php')).text(), open);
    });

    const own = `${instance.instance.run}/sites/${bob.name}.sock`;
    await t.test('guise: with her own key it is her site, and his script is not in it', async (t) => {
      htaccess(alice, ...handOver('admin.php', instance.socket), ...forged);
      await refused(t, instance, await get(guise.apache(alice), '/admin.php'), 403, 'script-outside-root');
      htaccess(alice, ...handOver('admin.php', own), ...forged);
      await refused(t, instance, await get(guise.apache(alice), '/admin.php'), 403, 'other-key');
    });

    await t.test('guise: without a key it is nobody’s', async (t) => {
      const named = [...forged, forge('GUISE_SITE', bob.name), 'ProxyFCGISetEnvIf "true" !GUISE_KEY'];
      for (const socket of [own, instance.socket]) {
        htaccess(alice, ...handOver('admin.php', socket), ...named);
        await refused(t, instance, await get(guise.apache(alice), '/admin.php'), 403, 'no-key');
      }
    });

    await t.test('without the defence the safe is open here too', async (t) => {
      await instance.says('site', 'set', bob.name, '--set', 'key_required=false');
      t.equal((await get(guise.apache(alice), '/admin.php')).text(), open);
    });
  },
  { nginx: true, bob: { args: ['--set', 'socket=own'] } },
);
