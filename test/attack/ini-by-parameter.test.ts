/**
 * PHP's settings by FastCGI parameter or environment. The administrator has limited alice (memory, functions); she
 * lifts the limit, and makes bob's scripts begin with hers.
 */

import { get } from '../harness/http.js';
import type { Seen } from '../harness/php-pages.js';
import { arena, forge, handOver, htaccess, refused } from './arena.js';

const settings = `<?php echo json_encode(['uid' => posix_getuid(), 'memory' => ini_get('memory_limit'),
  'prepend' => ini_get('auto_prepend_file'), 'server' => $_SERVER, 'environment' => getenv()]);`;

interface Settings extends Seen {
  readonly uid: number;
  readonly memory: string;
  readonly prepend: string;
}

const names = ['PHP_VALUE', 'PHP_ADMIN_VALUE', 'PHPRC', 'PHP_INI_SCAN_DIR', 'LD_PRELOAD', 'LD_LIBRARY_PATH'];

await arena(
  async (t, { instance, alice, bob, fpm, guise }) => {
    const evil = `${alice.root}/evil.php`;
    const forBob = [
      forge('SCRIPT_FILENAME', `${bob.root}/settings.php`),
      forge('PHP_VALUE', `auto_prepend_file=${evil}`),
    ];

    await t.test('php-fpm: her script runs before his, as him', async (t) => {
      htaccess(alice, ...handOver('settings.php', fpm.service.listen(bob)), ...forBob);
      const reply = await get(fpm.apache(alice), '/settings.php');
      t.match(reply.text(), `evil as ${bob.user.uid}`);
    });

    await t.test('php-fpm: she lifts a limit that the administrator has set', async (t) => {
      htaccess(alice, forge('PHP_ADMIN_VALUE', 'memory_limit=777M'));
      t.match((await get(fpm.apache(alice), '/settings.php')).json(), { memory: '777M' });
    });

    await t.test('guise: his scripts are out of reach', async (t) => {
      htaccess(alice, ...handOver('settings.php', instance.socket), ...forBob);
      await refused(t, instance, await get(guise.apache(alice), '/settings.php'), 403, 'script-outside-root');
    });

    for (const prefix of ['', 'REDIRECT_', 'REDIRECT_REDIRECT_']) {
      await t.test(`guise: ${prefix || 'plain'} names change nothing and reach nobody`, async (t) => {
        const value = `memory_limit=777M auto_prepend_file=${evil}`;
        htaccess(alice, ...names.map((name) => forge(`${prefix}${name}`, value)));
        const seen = (await get(guise.apache(alice), '/settings.php')).json() as Settings;
        t.equal(seen.memory, '64M', 'the limit stands');
        t.equal(seen.prepend, '');
        for (const name of names) {
          t.not(seen.server[`${prefix}${name}`], value, `no parameter ${prefix}${name}`);
          t.not(seen.environment[`${prefix}${name}`], value);
        }
      });
    }

    await t.test('guise: nor does her own script, or .user.ini', async (t) => {
      htaccess(alice);
      t.match((await get(guise.apache(alice), '/lift.php')).json(), { memory: '64M', lifted: false });
    });

    await t.test('guise: an administrator cannot open that door by accident', async (t) => {
      for (const name of names) {
        const { code, stderr } = await instance.run('site', 'set', alice.name, '--set', `env.${name}=x`);
        t.not(code, 0, name);
        t.match(stderr, `env.${name}`);
      }
    });
  },
  {
    pools: { lines: () => 'php_admin_value[memory_limit] = 64M' },
    alice: {
      args: ['--set', 'php_ini.lock.memory_limit=64M'],
      files: {
        'settings.php': settings,
        'evil.php': '<?php echo "evil as ", posix_getuid(), "\\n";',
        'lift.php': `<?php $lifted = ini_set('memory_limit', '777M');
          echo json_encode(['memory' => ini_get('memory_limit'), 'lifted' => $lifted]);`,
        '.user.ini': 'memory_limit=777M\n',
      },
    },
    bob: { files: { 'settings.php': settings } },
  },
);
