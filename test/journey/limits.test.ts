/** Limits, priority and privileges of a site's processes: of the template, of workers, of what a script starts. */

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { packageRoot } from '../../src/os/addon.js';
import { finish, succeed } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

const limits = { nofile: '333', nproc: '444', as: '3G', cpu: '77s', core: '0', fsize: '8M' };
/** Lines of /proc/PID/limits, proc(5): soft and hard. */
const expected: Readonly<Record<string, string>> = {
  'Max open files': '333',
  'Max processes': '444',
  'Max address space': String(3 * 1024 ** 3),
  'Max cpu time': '77',
  'Max core file size': '0',
  'Max file size': String(8 * 1024 ** 2),
};

/** Starts a program, writes down its pid, and waits until it is told to end. */
const child = `<?php
$process = proc_open(['/bin/sleep', '600'], [], $pipes);
file_put_contents(__DIR__ . '/pid.new', proc_get_status($process)['pid']);
rename(__DIR__ . '/pid.new', __DIR__ . '/pid');
while (!file_exists(__DIR__ . '/over')) { clearstatcache(); usleep(5000); }
foreach (['pid', 'over'] as $name) unlink(__DIR__ . "/$name");
proc_terminate($process, 9);
proc_close($process);`;

const signal = `<?php echo json_encode([posix_kill((int) $_GET['pid'], 0), posix_get_last_error()]);`;

const disk = `<?php $file = sys_get_temp_dir() . '/large';
pcntl_signal(SIGXFSZ, SIG_IGN);
$written = @file_put_contents($file, str_repeat('x', 9 << 20));
clearstatcache();
echo json_encode([$written, filesize($file)]);
unlink($file);`;

function statusOf(pid: number, key: string): string {
  return new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
}

function niceOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
}

await journey(async (t, world) => {
  const { guise } = world;
  const files = { 'child.php': child, 'signal.php': signal, 'disk.php': disk };
  const limited = await guise.addSite({
    name: 'limited.test',
    user: 'alice',
    files,
    args: [
      ...Object.entries(limits).flatMap(([name, value]) => ['--set', `limits.${name}=${value}`]),
      ...['--set', 'nice=7', '--set', 'no_new_privs=true'],
    ],
  });
  const plain = await guise.addSite({ name: 'plain.test', user: 'bob', files, args: ['--set', 'nice=-3'] });
  const twin = await guise.addSite({ name: 'twin.test', user: 'bob', files });
  const apache = await apacheFor(world, [limited, plain, twin]);
  const workerOf = async (site: Site): Promise<number> =>
    ((await get(apache.at(site), '/whoami.php')).json() as Whoami).pid;
  const templateOf = async (site: Site): Promise<number> =>
    (await guise.siteStatus(site.name)).templatePid ?? 0;

  const withChild = async (site: Site, look: (pid: number) => Promise<void>): Promise<void> => {
    const running = get(apache.at(site), '/child.php');
    await until('a program that a script started', () => existsSync(`${site.root}/pid`));
    try {
      await look(Number(readFileSync(`${site.root}/pid`, 'latin1')));
    } finally {
      writeFileSync(`${site.root}/over`, '');
      await running;
    }
  };

  await t.test('limits arrive at the template, at workers and at what scripts start', async (t) => {
    const worker = await workerOf(limited);
    await withChild(limited, async (pid) => {
      const isStarted = (): boolean => statusOf(pid, 'Name') === 'sleep';
      await until('the program to start', isStarted);
      t.match(
        readFileSync(`/proc/${pid}/limits`, 'latin1'),
        /^Max open files +333 +333 /m,
        'a program of a script',
      );
      t.equal(niceOf(pid), 7);
      t.equal(statusOf(pid, 'NoNewPrivs'), '1');
    });
    for (const pid of [await templateOf(limited), worker]) {
      const lines = readFileSync(`/proc/${pid}/limits`, 'latin1');
      for (const [name, value] of Object.entries(expected)) {
        t.match(lines, new RegExp(`^${name} +${value} +${value} `, 'm'), name);
      }
      t.equal(niceOf(pid), 7);
      t.equal(statusOf(pid, 'NoNewPrivs'), '1');
    }
  });

  await t.test('another site has its own', async (t) => {
    for (const pid of [await workerOf(plain), await templateOf(plain)]) {
      t.notMatch(readFileSync(`/proc/${pid}/limits`, 'latin1'), /^Max open files +333 /m);
      t.match(
        readFileSync(`/proc/${pid}/limits`, 'latin1'),
        /^Max core file size +0 +0 /m,
        'no core files by default',
      );
      t.equal(niceOf(pid), -3, 'also one that only root can give');
      t.equal(statusOf(pid, 'NoNewPrivs'), '0');
    }
  });

  await t.test('a file grows no larger than it may', async (t) => {
    const [, size] = (await get(apache.at(limited), '/disk.php')).json() as number[];
    t.equal(size, 8 * 1024 ** 2);
    t.equal(((await get(apache.at(plain), '/disk.php')).json() as number[])[1], 9 * 1024 ** 2);
  });

  await t.test('nobody of the same user looks into a worker', async (t) => {
    const tracer = `${world.directory}/tracer`;
    await succeed('cc', ['-std=c11', '-o', tracer, `${packageRoot()}/test/os/reaching.c`]);
    const as = [`--reuid=${plain.user.uid}`, `--regid=${plain.user.gid}`, '--clear-groups'];
    const trace = async (pid: number): Promise<string> => {
      return (await finish('setpriv', [...as, tracer, 'trace', String(pid)])).stdout.trim();
    };
    const worker = await workerOf(plain);
    for (const pid of [worker, await templateOf(plain)]) {
      t.equal(await trace(pid), '1', 'EPERM');
      t.equal(statSync(`/proc/${pid}/mem`).uid, 0, "its memory is not its user's to open");
    }
    await withChild(plain, async (pid) => {
      await until('what it starts to be its own', () => statSync(`/proc/${pid}/mem`).uid === plain.user.uid);
    });
  });

  await t.test('a site does not signal the processes of another one of the same user', async (t) => {
    const [own, other] = [await workerOf(plain), await workerOf(twin)];
    const ask = async (pid: number): Promise<unknown> =>
      (await get(apache.at(plain), `/signal.php?pid=${pid}`)).json();
    t.same(await ask(own), [true, 0]);
    t.same(await ask(other), [false, 1]);
    await guise.says('site', 'set', plain.name, '--set', 'confine=off');
    t.same(await ask(other), [true, 0], 'unless it is not confined');
  });
});
