/** A worker's and a template's life: jobs, bodies, what is inherited, how they end. */

import { readFileSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Slate, slateBytes } from '../../src/control/slate.js';
import { decodeStatus, reportExited } from '../../src/control/template-messages.js';
import { noteComplete, noteDone, noteStarted } from '../../src/control/worker-messages.js';
import { encodePairs } from '../../src/fastcgi/encode.js';
import { mapSharedMemory, sharedMemory } from '../../src/os/shared-memory.js';
import { close, memfd } from '../../src/os/socket.js';
import { type Answer, Rig, type RigOptions, siteUid } from './rig.js';

async function rigFor(t: Test, script: string, options: RigOptions = {}): Promise<Rig> {
  const rig = new Rig(options);
  t.teardown(() => rig.stop());
  rig.file('a.php', `<?php echo "\\n"; ${script}`);
  await rig.start();
  await rig.fork(1);
  return rig;
}

function ask(rig: Rig, extra: Record<string, string> = {}, body = Buffer.alloc(0), fd = -1): Promise<Answer> {
  return rig.run({ SCRIPT_FILENAME: `${rig.root}/a.php`, REQUEST_METHOD: 'POST', ...extra }, body, fd);
}

function page(answer: Answer): string {
  return answer.stdout.split('\r\n\r\n')[1]?.trim() ?? '';
}

t.test('one worker runs many requests, and the kernel vouches for its pid', async (t) => {
  const rig = await rigFor(t, 'echo getmypid();');
  for (let i = 0; i < 20; i++) t.equal(page(await ask(rig)), String(rig.workerPid));
  t.not(rig.workerPid, rig.templatePid);
});

t.test('a one-job worker ends after its job', async (t) => {
  const rig = await rigFor(t, 'echo getmypid();', { oneJob: true });
  t.equal(page(await ask(rig)), String(rig.workerPid));
  const report = await rig.report();
  t.equal(report.type, reportExited);
  t.same(decodeStatus(report.status), { exitCode: 0, signal: null });
});

t.test('a worker ends when its channel is closed, a template when the master is gone', async (t) => {
  const rig = await rigFor(t, 'echo 1;');
  rig.releaseWorker();
  t.equal((await rig.report()).type, reportExited);
  await rig.fork(2);
  rig.releaseMaster();
  t.equal(page(await ask(rig)), '1', 'what still runs may finish');
});

t.test('how a worker died is reported', async (t) => {
  for (const [how, expected] of [
    ['posix_kill(getmypid(), 9);', { exitCode: null, signal: 9 }],
    ['posix_kill(getmypid(), 11);', { exitCode: null, signal: 11 }],
  ] as const) {
    const rig = await rigFor(t, how);
    await t.rejects(ask(rig), /note/, 'the channel just ends');
    t.same(decodeStatus((await rig.report()).status), expected);
  }
});

t.test('bodies, in memory and in a file, arrive whole', async (t) => {
  const rig = await rigFor(t, '$b = file_get_contents("php://input"); echo strlen($b), " ", md5($b);');
  const { createHash } = await import('node:crypto');
  for (const size of [0, 1, 8, 65_527, 65_528, 65_529, 150_000]) {
    const body = Buffer.alloc(size, 'abcdefghijk');
    const expected = `${size} ${createHash('md5').update(body).digest('hex')}`;
    t.equal(page(await ask(rig, {}, body)), expected, `${size} bytes in memory`);
    const fd = memfd('body');
    if (size > 0) writeSync(fd, body);
    t.equal(page(await ask(rig, {}, body, fd)), expected, `${size} bytes in a file`);
    close(fd);
  }
});

t.test('a script that does not read its body does not disturb the next', async (t) => {
  const rig = await rigFor(t, 'echo $_SERVER["HTTP_X_N"];');
  for (let i = 0; i < 5; i++) {
    const answer = await ask(
      rig,
      { HTTP_X_N: String(i), CONTENT_TYPE: 'application/octet-stream' },
      Buffer.alloc(100_000),
    );
    t.equal(page(answer), String(i));
  }
});

t.test('a large answer is announced before its first byte, a small one is not', async (t) => {
  const rig = await rigFor(t, 'echo str_repeat("x", (int) $_SERVER["HTTP_X_N"]);');
  t.same(
    (await ask(rig, { HTTP_X_N: '10' })).notes.map((note) => note.type),
    [noteDone],
  );
  const large = await ask(rig, { HTTP_X_N: '300000' });
  t.same(
    large.notes.map((note) => note.type),
    [noteStarted, noteDone],
  );
  t.equal(page(large).length, 300_000);
  t.equal(large.note.flags & noteComplete, noteComplete);
  t.ok(large.note.bytesOut > 300_000, 'framing counts');
});

t.test('the status is that of the answer', async (t) => {
  const rig = await rigFor(t, 'ob_start(); http_response_code((int) $_SERVER["HTTP_X_N"]);');
  rig.file('a.php', '<?php http_response_code((int) $_SERVER["HTTP_X_N"]);');
  for (const status of ['200', '404', '301', '503']) {
    t.equal((await ask(rig, { HTTP_X_N: status })).note.status, Number(status));
  }
});

t.test('nothing of guise is inherited', async (t) => {
  const rig = await rigFor(
    t,
    'echo json_encode([getenv(), shell_exec("ls -l /proc/self/fd; tr \'\\\\0\' \'\\n\' < /proc/self/environ"), file_get_contents("/proc/self/environ")]);',
  );
  const text = page(await ask(rig, { GUISE_KEY: 'k' }));
  t.notMatch(text, /LD_PRELOAD=[^"\\]*so|GUISE_|rig\.test/i, 'neither in the environment nor where it was');
  t.notMatch(text, /socket:|memfd/, 'no socket in a program that a script starts');
});

t.test('the title says who it is', async (t) => {
  const rig = await rigFor(t, 'echo 1;');
  const title = (pid: number): string =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  t.equal(title(rig.templatePid), 'guise: template rig.test');
  t.equal(title(rig.workerPid), 'guise: worker rig.test');
  t.match(readFileSync(`/proc/${rig.workerPid}/status`, 'utf8'), new RegExp(`Uid:\t${siteUid}\t`));
});

t.test('with a slate it sends a note only where one is wanted', async (t) => {
  const shared = sharedMemory('slates', 2 * slateBytes);
  const memory = mapSharedMemory(shared);
  t.teardown(() => close(shared));
  const rig = await rigFor(t, 'echo str_repeat("x", (int) $_SERVER["HTTP_X_N"]);', { shared });
  const slate = new Slate(memory, 0);
  const params = (n: number) =>
    encodePairs(Object.entries({ SCRIPT_FILENAME: `${rig.root}/a.php`, HTTP_X_N: String(n) }));
  const ended = async (sequence: number) => {
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      const note = slate.ended(sequence);
      if (note !== undefined) return note;
      await setImmediate();
    }
    throw new Error(`job ${sequence} did not end`);
  };
  close(rig.send(params(10)));
  t.match(await ended(1), { type: noteDone, status: 200 });
  t.notOk(slate.hasStarted(1), 'all of it was one write');
  slate.want(2);
  const answer = await rig.runRaw(params(300_000));
  t.same(
    answer.notes.map(({ type, sequence }) => [type, sequence]),
    [[noteDone, 2]],
    'none of the first, and no message that it has begun',
  );
  t.ok(slate.hasStarted(2));
  const note = slate.ended(2);
  t.same(note, answer.note);
  const nowUs = Number(process.hrtime.bigint() / 1000n);
  t.ok(
    note !== undefined && note.endedUs <= nowUs && note.endedUs > nowUs - 60e6,
    'by the clock of this machine',
  );
});

t.test('a slate that nobody follows changes nothing, and holds nothing of the worker before', async (t) => {
  const shared = sharedMemory('slates', slateBytes);
  t.teardown(() => close(shared));
  new Uint8Array(mapSharedMemory(shared)).fill(1);
  const rig = await rigFor(t, 'echo str_repeat("x", 300000);', { shared });
  t.ok(new Uint8Array(mapSharedMemory(shared)).every((byte) => byte === 0));
  t.same(
    (await ask(rig)).notes.map((note) => note.type),
    [noteStarted, noteDone],
  );
});
