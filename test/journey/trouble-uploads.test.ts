/** Visitors of one site upload until the disk is full, slowly: what is left of it is for others, and comes back. */

import { statfsSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { succeed } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { isHardlyTouched, Neighbour, waitBesideBusyProcesses } from '../harness/neighbour.js';
import { journey } from '../harness/world.js';

const mb = 1024 ** 2;
const diskMb = 64;
const minFreeMb = 24;
const uploads = 8;
/** What comes of each; so many of them fit, whatever else lies there: five do not, and four leave less than one needs. */
const uploadMb = 9;
const fitting = 4;
/** What each may write before it is looked at again. */
const slack = uploads * 256 * 1024;

await journey(
  async (t, world) => {
    const { guise } = world;
    const { state } = guise.instance;
    // A disk of its own for the state directory: from the start, for what was opened before would be another one.
    await guise.stop();
    await succeed('mount', ['-t', 'tmpfs', '-o', `size=${diskMb}m,mode=0755`, 'guise-test', state]);
    world.undo.push(`unmount ${state}`, () => succeed('umount', ['-l', state]).then(() => undefined));
    await guise.start();
    const free = (): number => statfsSync(state).bavail * statfsSync(state).bsize;
    const troubled = await guise.addSite({ name: 'troubled.test', user: 'alice' });
    const fine = await guise.addSite({ name: 'fine.test', user: 'bob' });
    const apache = await apacheFor(world, [troubled, fine]);
    const neighbour = new Neighbour(apache.at(fine), fine);
    const calmMs = await neighbour.during();
    const busyMs = await waitBesideBusyProcesses(world, neighbour, 2);
    const before = free();

    await t.test('uploads that do not come to their end', async (t) => {
      const leaving = new AbortController();
      const slow = Array.from({ length: uploads }, () => {
        const body = new PassThrough();
        body.write(Buffer.alloc(uploadMb * mb));
        const headers = { 'content-length': String((uploadMb + 1) * mb) };
        return get(apache.at(troubled), '/body.php', { body, headers, signal: leaving.signal }).then(
          ({ status }) => status,
          () => 'left',
        );
      });
      let leastFree = before;
      const full = until('the disk to be as full as it may be', async () => {
        leastFree = Math.min(leastFree, free());
        if (free() > before - fitting * uploadMb * mb) return false;
        return (await guise.siteStatus(troubled.name)).refused === uploads - fitting;
      });
      isHardlyTouched(t, await neighbour.during(full), calmMs, busyMs);
      const late = await get(apache.at(troubled), '/body.php', { body: Buffer.alloc(10 * mb) });
      t.equal(late.status, 507, 'one more has no room');
      t.ok(leastFree >= minFreeMb * mb - slack, `${leastFree / mb} MiB are left to others`);
      leaving.abort();
      const answers = await Promise.all(slow);
      t.ok(answers.includes('left'), answers.join());
      await until('the room to come back', () => free() > before - mb);
      t.equal((await get(apache.at(troubled), '/body.php', { body: Buffer.alloc(10 * mb) })).status, 200);
    });
    await neighbour.close(t);
  },
  { router: `min_free = "${minFreeMb}M"` },
);
