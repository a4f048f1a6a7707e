/** A log file that is full makes room for the next one, and there is one at any moment for whoever opens it each time. */

import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { Config } from '../../src/config/config.js';
import { SiteLogs } from '../../src/master/site-logs.js';

for (const keep of [0, 1, 3]) {
  t.test(`${keep} older ones are kept`, async (t) => {
    const log = t.testdir();
    const directory = `${log}/sites/a.test`;
    const path = `${directory}/php.log`;
    mkdirSync(directory, { recursive: true });
    const logs = new SiteLogs({ paths: { log }, ledger: { fileBytes: 10, keep } } as Config);
    const inode = (file: string): number => statSync(file).ino;
    t.notOk(logs.rotate('a.test', 'php'), 'there is none');
    writeFileSync(path, 'short');
    t.notOk(logs.rotate('a.test', 'php'), 'it has room');
    const inodes: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      writeFileSync(path, `full ${n} full`);
      const before = inode(path);
      const isRotated = logs.rotate('a.test', 'php', (next) => {
        t.equal(inode(path), before, 'the old one stays until the next one is made');
        writeFileSync(next, '');
      });
      t.ok(isRotated);
      t.not(inode(path), before);
      t.equal(statSync(path).size, 0);
      inodes.unshift(before);
    }
    const older = Array.from({ length: keep }, (_, n) => `php.log.${n + 1}`);
    t.same(readdirSync(directory).sort(), ['php.log', ...older]);
    t.same(
      older.map((name) => inode(`${directory}/${name}`)),
      inodes.slice(0, keep),
    );
    writeFileSync(path, 'full without a next one');
    t.ok(logs.rotate('a.test', 'php'));
    t.same(readdirSync(directory).sort(), older, 'who opens it once makes it');
  });
}
