/**
 * A query string without "=" becomes arguments of a CGI program (RFC 3875, section 4.4), and php-cgi has dangerous ones
 * (CVE-2012-1823). guise's php-cgi gets its arguments once, from the administrator's configuration.
 */

import { readFileSync } from 'node:fs';
import { finish } from '../../src/quickstart/command.js';
import { processTree } from '../../src/quickstart/processes.js';
import { get } from '../harness/http.js';
import { arena, forge, htaccess } from './arena.js';

const page = `<?php /* source */ echo 'ran as ', posix_getuid(), ' prepend ', ini_get('auto_prepend_file'), '.';`;

const queries = [
  '?-s',
  '?-d+auto_prepend_file%3d/etc/passwd',
  '?-d%20auto_prepend_file%3d/etc/passwd',
  '?--%20-s',
  '?%2ds',
  '?-b+127.0.0.1:9',
  '?-h',
  '?-i',
  '?%ADd+auto_prepend_file%3d/etc/passwd',
];

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    await t.test('such arguments do harm where they arrive', async (t) => {
      const { stdout } = await finish('/usr/bin/php-cgi', ['-s', `${alice.root}/args.php`]);
      t.match(stdout, 'source', 'the source is shown');
    });

    for (const side of [fpm, guise]) {
      for (const web of side.webs) {
        await t.test(`${side.name} behind ${web.name}: they arrive nowhere`, async (t) => {
          for (const query of queries) {
            const reply = await get(web.at(alice), `/args.php${query}`);
            t.equal(reply.text(), `ran as ${alice.user.uid} prepend .`, query);
          }
        });
      }
    }

    await t.test('guise: nor by parameter', async (t) => {
      const names = [
        'argv',
        'argc',
        'PHP_FCGI_CHILDREN',
        'PHP_FCGI_MAX_REQUESTS',
        'ARGV',
        'SSH_ORIGINAL_COMMAND',
      ];
      htaccess(alice, ...names.map((name) => forge(name, '-s')));
      t.equal((await get(guise.apache(alice), '/args.php?-s')).text(), `ran as ${alice.user.uid} prepend .`);
    });

    await t.test('guise: and the processes have the arguments that they had', async (t) => {
      for (const { entry } of processTree(instance.pid)) {
        const words = readFileSync(`/proc/${entry.pid}/cmdline`, 'latin1').split('\\0');
        t.notOk(words.includes('-s'), entry.command);
      }
    });
  },
  { nginx: true, alice: { files: { 'args.php': page } } },
);
