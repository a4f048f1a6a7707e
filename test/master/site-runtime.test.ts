/** A site in the master with real processes, and with templates that lie about theirs. */

import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { noWorkerReason } from '../../src/control/router-messages.js';
import { Housekeeper } from '../../src/master/housekeeper.js';
import { siteDirectories } from '../../src/master/layout.js';
import { Lives } from '../../src/master/lives.js';
import { SiteRuntime } from '../../src/master/site-runtime.js';
import { WorkerBudget } from '../../src/master/worker-budget.js';
import { userByName } from '../../src/os/identity.js';
import { Poller } from '../../src/os/poller.js';
import { becomeSubreaper, reap } from '../../src/os/reap.js';
import { close, memfd, seqpacketPair } from '../../src/os/socket.js';
import { readSites } from '../../src/site/registry.js';
import { compile, openDirectory } from '../os/compiled.js';
import { until } from '../os/running.js';
import { makeInstance, siteText } from '../site/instance.js';

/** What a lane was told, in order. */
interface Told {
  readonly born: number[];
  readonly gone: number[];
  readonly noRoom: number[];
  readonly notGiven: { readonly count: number; readonly reason: number }[];
}

class SiteRig {
  readonly told: Told = { born: [], gone: [], noRoom: [], notGiven: [] };
  readonly runtime: SiteRuntime;
  readonly budget = new WorkerBudget(10);
  nowMs = 1000;
  readonly #log = memfd('log');

  constructor(t: Test, program: string, mode: string) {
    const instance = makeInstance(t);
    chmodSync(instance.directory, 0o755);
    instance.site('a.test.toml', siteText(instance, 'a.test', 'confine = "off"\n'));
    const config = instance.config();
    const [site] = readSites(config).sites;
    const user = userByName('games');
    if (site === undefined || user === undefined) throw new Error('no site');
    const directories = siteDirectories(config, site.name);
    mkdirSync(`${config.paths.run}/php`, { recursive: true });
    const poller = new Poller();
    const log = pino({}, pino.destination({ fd: this.#log, sync: true }));
    const around = {
      poller,
      log,
      library: '',
      budget: this.budget,
      housekeeper: new Housekeeper(config.paths.state, log),
      prepare: () => directories,
      requireConfinement: () => false,
      groups: { enter: () => -1 },
      programs: { start: () => -1, ended: () => undefined },
      expectOrphans: () => undefined,
      nowMs: () => this.nowMs,
      quarantined: () => undefined,
      lives: () => new Lives(),
      lane: () => ({
        isDirect: false,
        introduce: () => undefined,
        templateGone: () => undefined,
        forTemplate: () => ({ listener: -1, shared: -1, env: {} }),
        forWorker: () => {
          const [ours, theirs] = seqpacketPair();
          return { ours, theirs, slot: 0 };
        },
        born: (id: number, channel: number) => {
          this.told.born.push(id);
          close(channel);
        },
        gone: (id: number) => void this.told.gone.push(id),
        notGiven: (count: number, reason: number) => void this.told.notGiven.push({ count, reason }),
        close: () => undefined,
        progress: () => 0,
        unborn: () => undefined,
        noRoom: (count: number) => void this.told.noRoom.push(count),
        room: () => undefined,
        awaited: () => undefined,
        yieldOne: () => undefined,
        idleMs: () => undefined,
        giveUpIdle: () => undefined,
        isFree: () => undefined,
        recycle: () => undefined,
        figures: () => undefined,
      }),
    };
    this.runtime = new SiteRuntime(1, { ...site, php: program, env: { MODE: mode } }, around);
    const onChild = () => this.collect();
    process.on('SIGCHLD', onChild);
    t.teardown(async () => {
      this.runtime.close();
      this.runtime.killAll();
      await until('the end of everything', () => {
        this.collect();
        return this.runtime.templatePid === undefined && this.runtime.workers.size === 0;
      });
      process.off('SIGCHLD', onChild);
      poller.close();
      close(this.#log);
    });
  }

  collect(): void {
    for (let death = reap(); death !== undefined; death = reap()) {
      this.runtime.childDied(death.pid, death.exitCode, death.signal);
    }
  }

  log(): string {
    return readFileSync(`/proc/self/fd/${this.#log}`, 'utf8');
  }
}

const program = `${openDirectory(t)}/false-template`;
await compile('master/false-template.c', program);
becomeSubreaper();

for (const [mode, how] of [
  ['exit', 'exit code 0'],
  ['die', 'SIGKILL'],
] as const) {
  t.test(`a php-cgi that ends at its start with ${how} is not started again and again`, async (t) => {
    const rig = new SiteRig(t, program, mode);
    rig.runtime.demand(2);
    await until('its end', () => rig.runtime.templatePid === undefined);
    t.same(rig.told.notGiven, [{ count: 2, reason: noWorkerReason.throttled }]);
    t.equal(rig.budget.taken, 0);
    t.equal(rig.runtime.lastProblem, `php-cgi ended at its start: ${how}`);
    t.ok(rig.runtime.isThrottled);
    rig.runtime.demand(1);
    t.equal(rig.told.notGiven.length, 2, 'nothing is started before its time');
    rig.nowMs += 200;
    rig.runtime.demand(1);
    await until('its end', () => rig.runtime.templatePid === undefined);
    rig.nowMs += 399;
    t.ok(rig.runtime.isThrottled, 'the next pause is longer');
    rig.nowMs += 1;
    t.notOk(rig.runtime.isThrottled);
  });
}

t.test('a program that cannot be started', async (t) => {
  const rig = new SiteRig(t, '/nonexistent/php-cgi', 'exit');
  rig.runtime.demand(3);
  t.same(rig.told.notGiven, [{ count: 3, reason: noWorkerReason.startFailed }]);
  t.match(rig.runtime.lastProblem, /failed at step exec \(execve: ENOENT\)/);
  t.equal(rig.budget.taken, 0);
});

t.test('the machine’s limit and the site’s', async (t) => {
  const rig = new SiteRig(t, program, 'honest');
  rig.budget.limit(1, Number.POSITIVE_INFINITY);
  rig.runtime.demand(3);
  t.same(rig.told.noRoom, [2]);
  await until('the birth', () => rig.told.born.length === 1);
  t.equal(rig.budget.taken, 1);
});

t.test('one process that says it is two workers is one', async (t) => {
  const rig = new SiteRig(t, program, 'double');
  rig.runtime.demand(2);
  await until('the birth', () => rig.told.born.length > 0);
  const [pid = -1] = rig.runtime.workers.pids;
  t.same(rig.told.born, [1]);
  t.equal(rig.budget.taken, 2, 'the other one is still to come');
  rig.runtime.close();
  rig.runtime.killAll();
  await until('the end', () => rig.runtime.templatePid === undefined && rig.told.gone.length === 1);
  t.notOk(existsSync(`/proc/${pid}`));
  t.equal(rig.runtime.workers.size, 0, 'nobody stays in the table');
  t.equal(rig.budget.taken, 0);
});

t.test('a live worker that is passed off as never forked stays where it is', async (t) => {
  const rig = new SiteRig(t, program, 'failed');
  rig.runtime.demand(1);
  await until('the birth', () => rig.told.born.length === 1);
  const [pid = -1] = rig.runtime.workers.pids;
  rig.runtime.demand(1);
  await until('another birth, and the lie before it', () => rig.told.born.length === 2);
  t.equal(rig.budget.taken, 2);
  t.equal(rig.runtime.workers.pids[0], pid);
  t.same(rig.told.notGiven, []);
});

t.test('workers whose end was kept from us are gone with their template', async (t) => {
  const rig = new SiteRig(t, program, 'honest');
  rig.runtime.demand(2);
  await until('the births', () => rig.told.born.length === 2);
  const { pids } = rig.runtime.workers;
  for (const pid of pids) process.kill(pid, 9);
  await until('their end', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
  t.equal(rig.runtime.workers.size, 2, 'nobody has told');
  process.kill(rig.runtime.templatePid ?? -1, 9);
  await until('the end of the template', () => rig.runtime.templatePid === undefined);
  t.same(rig.told.gone, [1, 2]);
  t.equal(rig.budget.taken, 0);
});

t.test('a live worker that is passed off as dead is dead', async (t) => {
  const rig = new SiteRig(t, program, 'exited');
  rig.runtime.demand(1);
  await until('the birth', () => rig.told.born.length === 1);
  const [pid = -1] = rig.runtime.workers.pids;
  await until('its end', () => rig.told.gone.length === 1);
  await until('its end in fact', () => !existsSync(`/proc/${pid}`));
  t.match(rig.log(), 'template reported a live worker dead');
  t.equal(rig.budget.taken, 0);
});
