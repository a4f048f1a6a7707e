/**
 * Workers of the direct lane write down themselves what their requests were, into memory that the router reads. A tenant
 * who has taken over his workers (machine code in an extension, a hole in PHP) may write anything there, at any time.
 * Here the test does it in his place, through the master's copy of the memory.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync, writeSync } from 'node:fs';
import { directMemoryBytes, logbookBytes } from '../../src/control/logbook.js';
import { until } from '../../src/quickstart/until.js';
import { askOnce, paramsFor } from '../harness/fcgi-client.js';
import type { Site } from '../harness/guise.js';
import { readText } from '../harness/log.js';
import { journey } from '../harness/world.js';

const direct = ['--set', 'socket=own', 'dispatch=direct'];
const workers = 2;

/** An entry whose URI would be a line of its own, of somebody else's. */
function forgedEntry(): Buffer {
  const uri = '/forged\n{"site":"bob.test","uri":"/forged"}\u001b[2J';
  const bytes = Buffer.alloc(96 + Math.ceil(uri.length / 8) * 8);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(200, 72);
  bytes.writeUInt16LE(uri.length, 86);
  bytes.write(uri, 96);
  return bytes;
}

/** What a site's workers share, opened in the place of one. */
function openMemory(master: number, bytes: number): number {
  const directory = `/proc/${master}/fd`;
  for (const name of readdirSync(directory)) {
    const path = `${directory}/${name}`;
    if (readlinkSync(path).includes('guise-logbooks') && statSync(path).size === bytes)
      return openSync(path, 'r+');
  }
  throw new Error('there is no such memory');
}

await journey(
  async (t, { guise }) => {
    const { instance } = guise;
    const alice = await guise.addSite({
      name: 'alice.test',
      user: 'alice',
      args: [...direct, `max_workers=${workers}`],
    });
    const bob = await guise.addSite({ name: 'bob.test', user: 'bob', args: [...direct, 'max_workers=3'] });
    const visit = async (site: Site, uri = '/whoami.php'): Promise<number> =>
      (await askOnce(`${instance.run}/sites/${site.name}.sock`, await paramsFor(guise, site, uri))).status;
    const text = (site: Site): string => readText(`${instance.log}/sites/${site.name}/requests.log`);
    const lines = (site: Site): Record<string, unknown>[] =>
      text(site)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const requests = async (site: Site): Promise<number> => {
      const said = await guise.says('usage', '--site', site.name, '--json');
      return (JSON.parse(said) as { usage: { requests: number }[] }).usage[0]?.requests ?? 0;
    };
    const router = await guise.routerPid();
    t.equal(await visit(alice), 200);
    const memory = openMemory(guise.pid, directMemoryBytes(workers));
    t.teardown(() => {
      closeSync(memory);
    });
    const book = directMemoryBytes(workers) - workers * logbookBytes;

    await t.test('a forged entry is a line of her own, and one line', async (t) => {
      const entry = forgedEntry();
      const word = Buffer.alloc(8);
      readSync(memory, word, 0, 8, book + 64);
      const written = word.readBigUInt64LE();
      const at = Number(written % BigInt(logbookBytes - 4096));
      word.writeBigUInt64LE(written + BigInt(entry.length));
      writeSync(memory, entry, 0, entry.length, book + 4096 + at);
      writeSync(memory, word, 0, 8, book + 64);
      const line = await until('the line', () =>
        lines(alice).find(({ uri }) => String(uri).startsWith('/forged')),
      );
      t.match(line, { site: 'alice.test', uid: alice.user.uid, lane: 'direct' });
      t.notMatch(text(alice), '\u001b');
      t.notMatch(text(bob), 'forged');
    });

    await t.test('noise without end', async (t) => {
      const end = performance.now() + 2500;
      let visits = 0;
      while (performance.now() < end) {
        for (let n = 0; n < 300; n++) {
          const at = [0, 64, 72, 128, 136, 256, 4096, 4096 + 8 * n][n % 8] ?? 0;
          const bytes = n % 5 === 0 ? forgedEntry() : randomBytes(1 + (n % 90));
          writeSync(memory, bytes, 0, bytes.length, book + (n % workers) * logbookBytes + at);
        }
        t.equal(await visit(bob, `/whoami.php?n=${visits++}`), 200);
      }
      await until('his sums', async () => (await requests(bob)) === visits);
      t.equal(await guise.routerPid(), router, 'the router is the same');
      t.ok(
        lines(alice).every(({ site, uid }) => site === 'alice.test' && uid === alice.user.uid),
        'her lines are hers',
      );
      t.ok(
        lines(bob).every(({ site, uri }) => site === 'bob.test' && String(uri).startsWith('/whoami')),
        'his are his',
      );
      t.ok(
        statSync(`${instance.log}/sites/alice.test/requests.log`).size < 40 * 5000,
        'as many as she may have',
      );
      t.match(await guise.says('requests'), /no request|ID /);
      t.equal(await visit(alice), 200);
    });
  },
  { ledger: 'lines_per_second = 10' },
);
