/** A script fills the disk: with one large file, and with temporary files. */

import { statSync } from 'node:fs';
import { get } from '../harness/http.js';
import { arena } from './arena.js';

const mb = 1024 * 1024;

const fill = `<?php
$directory = isset($_GET['temporary']) ? sys_get_temp_dir() : __DIR__;
$file = fopen("$directory/large", 'w');
$written = 0;
for ($i = 0; $i < 12; $i++) $written += (int) @fwrite($file, str_repeat('x', ${mb}));
fclose($file);
$size = filesize("$directory/large");
if (isset($_GET['temporary'])) unlink("$directory/large");
echo $size;`;

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    await t.test('php-fpm: twelve megabytes here and there', async (t) => {
      for (const page of ['/fill.php', '/fill.php?temporary']) {
        t.equal((await get(fpm.apache(alice), page)).text(), String(12 * mb), page);
      }
    });

    await t.test('guise: a file grows to the site’s limit', async (t) => {
      await get(guise.apache(alice), '/fill.php');
      t.equal(statSync(`${alice.root}/large`).size, 8 * mb);
      t.equal((await get(guise.apache(alice), '/index.php')).status, 200, 'and she is served afterwards');
    });

    await t.test('guise: temporary files have a file system of their own', async (t) => {
      const reply = await get(guise.apache(alice), '/fill.php?temporary');
      const size = Number(reply.text());
      t.ok(size > 0 && size <= 4 * mb, `${reply.status} ${reply.text()}`);
    });

    await t.test('without the limits she writes all of it here too', async (t) => {
      await instance.says('site', 'set', alice.name, '--unset', 'limits.fsize', '--unset', 'tmp_size');
      for (const page of ['/fill.php', '/fill.php?temporary']) {
        t.equal((await get(guise.apache(alice), page)).text(), String(12 * mb), page);
      }
    });
  },
  { alice: { args: ['--set', 'limits.fsize=8M', '--set', 'tmp_size=4M'], files: { 'fill.php': fill } } },
);
