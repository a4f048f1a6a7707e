/**
 * A worker reports itself and is gone; before the master looks, its process id belongs to somebody else, whom the master
 * then kills in the worker's place. The master is stopped for the moment, which makes a matter of luck certain.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readProcess } from '../../src/quickstart/processes.js';
import { until } from '../../src/quickstart/until.js';
import { askOnce, paramsFor } from '../harness/fcgi-client.js';
import { journey } from '../harness/world.js';
import { siteStatusOf, statusOf } from './control.js';
import { compilePuppet, Puppet, puppetSite, ready, report } from './puppet.js';

/** The next process that anybody starts gets this id, if nobody is faster. */
function nextPid(pid: number): void {
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
}

/** Starts a program of this user until it has this process id: the kernel counts on from the last one. */
async function reuse(pid: number, uid: number): Promise<ChildProcess> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    nextPid(pid);
    const victim = spawn('/bin/sleep', ['60'], { uid, gid: uid, stdio: 'ignore' });
    if (victim.pid === pid) return victim;
    const gone = once(victim, 'exit');
    victim.kill('SIGKILL');
    await gone;
  }
  throw new Error(`no program got the process id ${pid}`);
}

await journey(async (t, world) => {
  const { guise } = world;
  const program = await compilePuppet(world);
  const site = await puppetSite(guise, program, 'alice.test');
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob' });
  const puppets = Puppet.listen(world, site);
  const ask = async (): Promise<void> => {
    await askOnce(guise.socket, await paramsFor(guise, site, '/index.php')).catch(() => undefined);
  };

  await t.test('a worker of hers that she reports dead is killed: the way to do harm is there', async (t) => {
    const asked = ask();
    const puppet = await puppets.next();
    await puppet.tell(`send ${ready}`);
    const worker = await puppet.order();
    const pid = await puppet.tell(`born ${worker}`);
    await until('it to be known', async () =>
      (await siteStatusOf(guise, site.name)).workerPids.includes(pid),
    );
    await puppet.tell(`send ${report(3, worker)}`);
    await until('its death', () => readProcess(pid)?.state !== 'S');
    t.pass('it is dead');
    await asked;
    puppet.end();
  });

  await t.test(
    'a worker whose death she keeps to herself does not hide the end of his template',
    async (t) => {
      const asked = ask();
      const puppet = await puppets.next();
      await puppet.tell(`send ${ready}`);
      const worker = await puppet.order();
      const pid = await puppet.tell(`born ${worker}`);
      await until('it to be known', async () =>
        (await siteStatusOf(guise, site.name)).workerPids.includes(pid),
      );
      process.kill(pid, 'SIGKILL');
      await puppet.tell('reap');
      await until('a template of his with that id', async () => {
        nextPid(pid);
        await askOnce(guise.socket, await paramsFor(guise, bob, '/index.php'));
        const { templatePid, workerPids } = await siteStatusOf(guise, bob.name);
        if (templatePid === pid) return true;
        for (const each of [...workerPids, templatePid ?? 0]) if (each > 0) process.kill(each, 'SIGKILL');
        await until('its end', async () => (await siteStatusOf(guise, bob.name)).templatePid === undefined);
        return false;
      });
      const { workerPids } = await siteStatusOf(guise, bob.name);
      for (const each of [...workerPids, pid]) process.kill(each, 'SIGKILL');
      const page = await until('another template of his', async () => {
        const answer = await askOnce(guise.socket, await paramsFor(guise, bob, '/index.php'));
        return answer.status === 200 ? answer.body : undefined;
      });
      t.equal(page, `front page of ${bob.name}`);
      puppet.end();
      await asked;
    },
  );

  await t.test('a process of his with the id of a worker of hers that is gone stays alive', async (t) => {
    const asked = ask();
    const puppet = await puppets.next();
    await puppet.tell(`send ${ready}`);
    const worker = await puppet.order();
    process.kill(guise.pid, 'SIGSTOP');
    await until('the master to stand still', () => readProcess(guise.pid)?.state === 'T');
    const pid = await puppet.tell(`flash ${worker}`);
    t.equal(readProcess(pid), undefined, 'the worker is gone');
    const victim = await reuse(pid, bob.user.uid);
    world.undo.push('end the victim', () => void victim.kill('SIGKILL'));
    t.equal(readProcess(pid)?.uid, bob.user.uid, 'its id is his');
    process.kill(guise.pid, 'SIGCONT');
    await puppet.tell(`send ${report(3, worker)}`);
    await statusOf(guise);
    t.notOk((await siteStatusOf(guise, site.name)).workerPids.includes(pid));
    // Whatever the master does to its workers, the end of the site is the most.
    await guise.says('site', 'remove', site.name);
    t.equal(readProcess(pid)?.state, 'S', 'he lives');
    const gone = once(victim, 'exit');
    victim.kill('SIGKILL');
    t.same(await gone, [null, 'SIGKILL']);
    puppet.end();
    await asked;
  });
});
