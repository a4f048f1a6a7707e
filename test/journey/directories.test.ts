/** Directories that must be root's alone: the daemon does not start where they are not, and says what mends it. */

import { chmodSync, chownSync, mkdirSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { finish } from '../../src/quickstart/command.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise, directory, users } = world;
  const { run, state, log } = guise.instance;
  const alice = await users.get('alice');
  await guise.stop();

  /** Refused at start and by check, with a remedy; that is carried out where it is a command. */
  const refused = async (what: RegExp): Promise<string> => {
    const check = await guise.run('check');
    t.equal(check.code, 1, `check: ${String(what)}`);
    t.match(check.stdout, what);
    const start = await guise.run('daemon');
    t.equal(start.code, 5, `daemon: ${String(what)}`);
    t.match(start.stderr, what);
    return /remedy: {3}(.*)$/m.exec(start.stderr)?.[1] ?? '';
  };
  const mended = async (remedy: string): Promise<void> => {
    t.equal((await finish('sh', ['-c', remedy])).code, 0, remedy);
    t.equal((await guise.run('check')).code, 0, 'and then it is fine');
  };

  await t.test('what they are like after a start', async (t) => {
    for (const path of [run, `${run}/sites`, `${run}/lib`, state, `${state}/sites`, log]) {
      const { uid, mode } = statSync(path);
      t.same({ uid, mode: mode & 0o777 }, { uid: 0, mode: 0o755 }, path);
    }
    const spool = statSync(`${state}/spool`);
    t.same({ uid: spool.uid, mode: spool.mode & 0o777 }, { uid: guise.routerUser.uid, mode: 0o700 });
  });

  await t.test('a run directory that others may write to', async () => {
    chmodSync(run, 0o777);
    await mended(await refused(/others than its owner may write to .*\/run/));
  });

  await t.test('a state directory of a tenant', async () => {
    chownSync(state, alice.uid, alice.gid);
    await mended(await refused(/state belongs to somebody who could put another in its place/));
  });

  await t.test('a parent of a tenant, who could rename what is beneath', async (t) => {
    chownSync(directory, alice.uid, alice.gid);
    const remedy = await refused(/on the way to .*\/run, belongs to somebody/);
    t.match(remedy, /another directory under \[paths\]/);
    chownSync(directory, 0, 0);
    chmodSync(directory, 0o775);
    await mended(await refused(/others than its owner may write to .*, on the way to .*\/run/));
  });

  await t.test('a link that root has made is followed, and what it leads to counts', async (t) => {
    const real = `${directory}/elsewhere`;
    mkdirSync(real, { mode: 0o755 });
    renameSync(log, `${real}/log`);
    symlinkSync(`${real}/log`, log);
    t.equal((await guise.run('check')).code, 0);
    chownSync(real, alice.uid, alice.gid);
    t.match(await refused(/elsewhere, on the way to .*\/log, belongs to somebody/), /another directory/);
    chownSync(real, 0, 0);
    await guise.start();
    t.equal((await guise.run('ping')).code, 0);
  });

  await t.test('the directory for libraries is looked at too', async (t) => {
    await guise.stop();
    chownSync(`${run}/lib`, alice.uid, alice.gid);
    const { code, stderr } = await guise.run('daemon');
    t.equal(code, 8);
    t.match(stderr, /run\/lib belongs to somebody who could put another in its place/);
    t.match(stderr, `remedy: chown -h root ${run}/lib`);
    chownSync(`${run}/lib`, 0, 0);
    await guise.start();
  });

  await t.test('sockets are made as the web server’s alone, or for the router to decide', async (t) => {
    t.equal(statSync(guise.socket).mode & 0o777, 0o666, 'two users may connect here');
    chmodSync(guise.socket, 0o600);
    const { code, stdout } = await guise.run('check');
    t.equal(code, 1);
    t.match(stdout, `remedy:   chmod 0666 ${guise.socket}`);
    chmodSync(guise.socket, 0o666);
    t.equal((await guise.run('check')).code, 0);
  });
});
