/**
 * The router reads what strangers send. Should one of them come to run code in it, this is what he finds: no
 * capability, no key, nothing to write to but its own spool, and no file of any site.
 */

import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
} from 'node:fs';
import { routerConfinement } from '../../src/master/router-confinement.js';
import { launch } from '../../src/os/launch.js';
import { reap } from '../../src/os/reap.js';
import { finish } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { journey } from '../harness/world.js';

/** The fields of every thread's status. */
function threads(pid: number): Map<string, string>[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const lines = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1').split('\n');
    return new Map(lines.map((line) => [line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1).trim()]));
  });
}

await journey(async (t, world) => {
  const { guise, directory } = world;
  const { instance, routerUser } = guise;
  const site = await guise.addSite({ name: 'kept.test', user: 'alice' });
  writeAs(site, 'public.txt', 'readable for all');
  const apache = await apacheFor(world, [site]);
  const upload = async (): Promise<number> =>
    (await get(apache.at(site), '/body.php', { body: Buffer.alloc(6_000_000) })).status;
  t.equal(await upload(), 200);
  const key = guise.keyOf(site.name) ?? '';
  const siteFile = `${instance.sites}/${site.name}.toml`;
  const pid = await guise.routerPid();

  await t.test('it is an ordinary user for good, in every thread', async (t) => {
    const none = '0000000000000000';
    const { uid, gid, groups } = routerUser;
    for (const status of threads(pid)) {
      t.equal(status.get('Uid'), [uid, uid, uid, uid].join('\t'));
      t.equal(status.get('Gid'), [gid, gid, gid, gid].join('\t'));
      t.equal(status.get('Groups'), groups.join(' '));
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) t.equal(status.get(set), none, set);
      t.equal(status.get('NoNewPrivs'), '1');
    }
  });

  await t.test('nothing that it holds leads further', async (t) => {
    const held = readdirSync(`/proc/${pid}/fd`).map((fd) => ({
      what: readlinkSync(`/proc/${pid}/fd/${fd}`),
      flags: Number(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))?.[1]),
    }));
    const files = held.filter(({ what }) => what.startsWith('/'));
    t.same(
      [...new Set(files.map(({ what }) => what))].filter((what) => what !== '/dev/null'),
      [`${instance.log}/guise.log`],
      'the log is its only file',
    );
    const oAppend = 0o2000;
    const oWronly = 0o1;
    for (const { what, flags } of files.filter((file) => file.what.endsWith('guise.log'))) {
      // The flags are octal digits; 0o1 alone of the three ways to open is "write only".
      const value = Number.parseInt(String(flags), 8);
      t.equal(value & 0o3, oWronly, `${what} can be written only`);
      t.equal(value & oAppend, oAppend, 'and only at its end');
    }
  });

  await t.test('no key is in it', async (t) => {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    t.notMatch(environment, key);
    // The site's key came with requests a moment ago; it has been overwritten since.
    await until('the key to be gone from its memory', () => !memoryOf(pid).includes(key), 20_000);
    t.ok(memoryOf(pid).includes(site.name), 'though its memory was looked at');
  });

  await t.test('as its user one reads no key and writes no configuration', async (t) => {
    const words = ['--reuid', String(routerUser.uid), '--regid', String(routerUser.gid), '--clear-groups'];
    const may = async (script: string): Promise<boolean> =>
      (await finish('setpriv', [...words, '--', 'sh', '-c', script])).code === 0;
    t.ok(await may('true'), 'the user can run something');
    t.ok(
      await may(`touch ${instance.state}/spool/x && rm ${instance.state}/spool/x`),
      'the spool is its own',
    );
    const { config, log, run, sites, state } = instance;
    for (const script of [
      `cat ${siteFile}`,
      `echo >> ${siteFile}`,
      `touch ${sites}/new.toml`,
      `rm ${siteFile}`,
      `echo >> ${config}`,
      `touch ${directory}/x`,
      `touch ${log}/x`,
      `cat ${log}/guise.log`,
      `echo >> ${log}/guise.log`,
      `ls ${log}/sites/${site.name}`,
      `ls ${state}/sites/${site.name}`,
      `ls ${state}/sites/${site.name}/tmp`,
      `touch ${state}/sites/x`,
      `touch ${run}/x`,
      `rm ${run}/guise.sock`,
      `touch ${run}/lib/x`,
      `touch ${run}/php/x`,
      `touch ${site.root}/x`,
      `cat /proc/${pid}/environ`,
      `cat /proc/${pid}/maps`,
      `ls /proc/${pid}/fd`,
      `kill -0 ${guise.pid}`,
    ]) {
      t.notOk(await may(script), script);
    }
    const speak = `require('node:net').connect('${run}/control.sock').on('error', () => process.exit(1))
      .on('connect', function () { this.write('GET /sites HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'); })
      .on('data', (data) => { process.exit(String(data).includes('200 OK') ? 0 : 1); }).on('close', () => process.exit(1))`;
    t.notOk(await may(`'${process.execPath}' -e "${speak.replaceAll('\n', ' ')}"`), 'the control socket');
  });

  await t.test('what anybody may read or write is out of its reach too', async (t) => {
    const readable = `${site.root}/public.txt`;
    const spool = `${instance.state}/spool`;
    const { uid, gid } = routerUser;
    const run = async (script: string, landlock = routerConfinement(spool)): Promise<number> => {
      const { pid: child } = launch({
        file: '/bin/sh',
        args: ['sh', '-c', script],
        env: {},
        cwd: '/',
        descriptors: [],
        identity: { uid, gid, groups: [gid] },
        newSession: true,
        ...(landlock === undefined ? {} : { landlock }),
      });
      const death = await until('the shell to end', () => {
        const one = reap();
        return one?.pid === child ? one : undefined;
      });
      return death.exitCode ?? -1;
    };
    chmodSync(directory, 0o755);
    t.equal(
      await run(`/bin/cat ${readable}`, { read: ['/'], write: [], devices: ['/dev/null'] }),
      0,
      'by mode it may',
    );
    t.not(await run(`/bin/cat ${readable}`), 0);
    t.not(await run('echo > /tmp/guise-lockdown'), 0, 'even /tmp');
    t.equal(await run(`echo > ${spool}/x && /bin/rm ${spool}/x`), 0, 'only its spool');
  });

  await t.test('and these rules hold for the router that runs', async (t) => {
    // Another directory with the same name, owner and mode is not the one that was opened to it.
    const spool = `${instance.state}/spool`;
    renameSync(spool, `${spool}-old`);
    mkdirSync(spool, 0o700);
    chownSync(spool, routerUser.uid, routerUser.gid);
    t.equal(await upload(), 500);
    rmdirSync(spool);
    renameSync(`${spool}-old`, spool);
    t.equal(await upload(), 200);
  });
});

/** Everything that it has written to its memory, as root sees it. */
function memoryOf(pid: number): Buffer {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const parts: Buffer[] = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
    const [, from = '0', to = '0'] = /^([0-9a-f]+)-([0-9a-f]+) rw(?!.*\[v)/.exec(line) ?? [];
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    for (let at = start; at < end; at += 2 ** 20) parts.push(readAt(memory, at, Math.min(2 ** 20, end - at)));
  }
  closeSync(memory);
  return Buffer.concat(parts);
}

function readAt(memory: number, at: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  try {
    return buffer.subarray(0, readSync(memory, buffer, 0, length, at));
  } catch {
    return Buffer.alloc(0); // unmapped meanwhile
  }
}
