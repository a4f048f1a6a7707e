/**
 * .htaccess names the socket of another tenant, and the attacker's script runs there as the victim. It names the
 * socket only; which script and which site is the rest of the attack.
 */

import { get } from '../harness/http.js';
import { arena, forge, handOver, htaccess, refused, secret, secretFile } from './arena.js';
import type { Stolen } from './pages.js';

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const page = `/steal.php?file=${secretFile(bob)}`;
    const own = `${instance.instance.run}/sites/${bob.name}.sock`;
    const sendTo = (socket: string, ...more: string[]): void =>
      htaccess(alice, ...handOver('steal.php', socket), ...more);

    await t.test('php-fpm: her script reads his secret', async (t) => {
      htaccess(alice);
      const honest = (await get(fpm.apache(alice), page)).json() as Stolen;
      t.same(honest, { uid: alice.user.uid, content: false }, 'as herself she cannot');
      sendTo(fpm.service.listen(bob));
      const stolen = (await get(fpm.apache(alice), page)).json() as Stolen;
      t.same(stolen, { uid: bob.user.uid, content: secret }, 'through his socket she can');
    });

    await t.test('guise, shared socket: her key is her site', async (t) => {
      sendTo(instance.socket);
      const honest = (await get(guise.apache(alice), page)).json() as Stolen;
      t.same(honest, { uid: alice.user.uid, content: false });
    });

    await t.test('guise: his own socket does not take her key', async (t) => {
      sendTo(own);
      await refused(t, instance, await get(guise.apache(alice), page), 403, 'other-key');
    });

    const withoutKey = 'ProxyFCGISetEnvIf "true" !GUISE_KEY';
    for (const [what, socket] of [
      ['his own socket', own],
      ['the shared socket', instance.socket],
    ] as const) {
      await t.test(`guise: ${what} and his name without a key`, async (t) => {
        sendTo(socket, withoutKey, forge('GUISE_SITE', bob.name));
        await refused(t, instance, await get(guise.apache(alice), page), 403, 'no-key');
        sendTo(socket, withoutKey, forge('REDIRECT_GUISE_SITE', bob.name));
        await refused(t, instance, await get(guise.apache(alice), page), 403, 'no-key');
      });
      await t.test(`guise: ${what} and a key that she made up`, async (t) => {
        sendTo(socket, forge('GUISE_KEY', 'ab'.repeat(32)));
        await refused(t, instance, await get(guise.apache(alice), page), 403, 'wrong-key');
      });
    }

    await t.test('guise: even with his key, the script must be his own', async (t) => {
      sendTo(own, forge('GUISE_KEY', instance.keyOf(bob.name) ?? ''));
      await refused(t, instance, await get(guise.apache(alice), page), 403, 'script-outside-root');
    });

    await t.test('guise: she cannot read his key', async (t) => {
      htaccess(alice);
      const file = `${instance.instance.sites}/${bob.name}.toml`;
      const asHerself = (await get(guise.apache(alice), `/steal.php?file=${file}`)).json() as Stolen;
      t.same(asHerself, { uid: alice.user.uid, content: false });
      // An expression of Apache reads files as www-data.
      htaccess(alice, `ProxyFCGISetEnvIf "file('${file}') =~ /(.+)/" LEAK "$1"`);
      const reply = await get(guise.apache(alice), '/server.php');
      t.notMatch(reply.text(), instance.keyOf(bob.name) ?? 'no key');
      t.notMatch(reply.text(), 'LEAK');
    });

    await t.test('without the defence the attack works here too', async (t) => {
      await instance.says('site', 'set', bob.name, '--set', 'key_required=false');
      sendTo(own, withoutKey, forge('SCRIPT_FILENAME', `${bob.root}/whoami.php`));
      const reply = await get(guise.apache(alice), '/steal.php');
      t.match(reply.json(), { uid: bob.user.uid }, 'his script answers her');
    });
  },
  { bob: { args: ['--set', 'socket=own'] } },
);
