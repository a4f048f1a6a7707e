/**
 * Whoever can write a file that says who PHP runs as is whoever he likes. Configuration that others may write, or that
 * is a symbolic link, is not read: php-fpm's pools and guise's sites, in every way in which it can go wrong.
 */

import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { FcgiClient, paramsFor, request } from '../harness/fcgi-client.js';
import { readText } from '../harness/log.js';
import { arena } from './arena.js';
import { control, statusOf } from './control.js';
import { phpFpmCommand } from './php-fpm.js';

await arena(async (t, { world, instance, alice, bob }) => {
  await t.test('php-fpm: a pool file that belongs to her says that she is him', async (t) => {
    const directory = join(world.directory, 'careless');
    mkdirSync(directory);
    const socket = `${directory}/sock`;
    const pool = `${directory}/pool.conf`;
    writeFileSync(
      pool,
      `[hers]\nuser = ${bob.user.name}\ngroup = ${bob.user.name}\nlisten = ${socket}\npm = static\npm.max_children = 1\n`,
    );
    chmodSync(pool, 0o666);
    chownSync(pool, alice.user.uid, alice.user.gid);
    symlinkSync(pool, `${directory}/link.conf`);
    writeFileSync(
      `${directory}/main.conf`,
      `[global]\nerror_log = ${directory}/log\ninclude = ${directory}/link.conf\n`,
    );
    const service = startService(
      '/usr/bin/env',
      phpFpmCommand(`${directory}/main.conf`),
      `${directory}/output`,
    );
    world.undo.push('stop the careless php-fpm', () => service.stop());
    world.servers.push(service);
    await until('php-fpm', () => readText(`${directory}/log`).includes('ready to handle'));
    const client = await FcgiClient.connect(socket);
    client.send(request({ SCRIPT_FILENAME: `${alice.root}/admin.php`, REQUEST_METHOD: 'GET' }));
    t.match((await client.answer()).body, `uid ${bob.user.uid}`);
    client.end();
  });

  const sites = instance.instance.sites;
  const file = `${sites}/hers.test.toml`;
  const key = 'ab'.repeat(32);
  const good = `name = "hers.test"\nroot = "${bob.root}"\nuser = "${bob.user.name}"\nkey = "${key}"\n`;
  /** Whether the site of that file runs after a reload, and what is said about it if not. */
  const reloaded = async (): Promise<string> => {
    const answer = await control(instance, 'POST', '/reload');
    if (answer.includes('"error"')) return answer;
    const { sites, parked } = await statusOf(instance);
    if (sites.some((site) => site.name === 'hers.test' && site.state !== 'stopping')) return 'runs';
    return parked.flatMap((one) => one.problems.map((problem) => problem.message)).join('; ') || answer;
  };
  const write = (text = good, mode = 0o600, uid = 0): void => {
    rmSync(file, { force: true, recursive: true });
    writeFileSync(file, text);
    chownSync(file, uid, uid);
    chmodSync(file, mode);
  };
  instance.allowErrors(/parked|file is wrong/);

  await t.test('guise: the same file runs when it is root’s alone', async (t) => {
    write();
    t.equal(await reloaded(), 'runs');
    const params = { ...(await paramsFor(instance, bob, '/admin.php')), GUISE_KEY: key };
    const client = await FcgiClient.connect(instance.socket);
    client.send(request(params));
    t.match((await client.answer()).body, `uid ${bob.user.uid}`);
    client.end();
  });

  const ways: readonly (readonly [string, () => void, RegExp])[] = [
    ['that others may write', () => write(good, 0o602), /may write/],
    ['that a group may write', () => write(good, 0o620), /may write/],
    ['that belongs to her', () => write(good, 0o600, alice.user.uid), /belongs to somebody/],
    ['that everybody reads, with a key in it', () => write(good, 0o644), /key/],
    [
      'that is a symbolic link',
      () => {
        writeFileSync(`${alice.root}/hers.toml`, good, { mode: 0o600 });
        symlinkSync(`${alice.root}/hers.toml`, file);
      },
      /symbolic link/,
    ],
    [
      'that is a directory',
      () => {
        mkdirSync(file);
      },
      /regular file/,
    ],
    ['that names root', () => write(good.replace(bob.user.name, 'root')), /root/],
    [
      'that names the router’s user',
      () => write(good.replace(bob.user.name, instance.routerUser.name)),
      /router/,
    ],
    ['that names the web server’s user', () => write(good.replace(bob.user.name, 'www-data')), /web server/],
    ['that claims his name', () => write(good.replace('hers.test', bob.name)), /already/],
    ['that claims his key', () => write(good.replace(key, instance.keyOf(bob.name) ?? '')), /already/],
  ];
  for (const [what, arrange, expected] of ways) {
    await t.test(`guise: not a file ${what}`, async (t) => {
      // A file that was good before keeps its site as it was: here nobody has seen it yet.
      rmSync(file, { force: true, recursive: true });
      await reloaded();
      arrange();
      t.match(await reloaded(), expected);
      const { sites } = await statusOf(instance);
      t.ok(
        sites.some((site) => site.name === bob.name),
        'his own site goes on',
      );
    });
  }

  await t.test('guise: what is written into a file that others may write is never used', async (t) => {
    write();
    t.equal(await reloaded(), 'runs');
    write(good.replace(bob.root, alice.root), 0o602);
    t.equal(await reloaded(), 'runs', 'as it was');
    const params = { ...(await paramsFor(instance, bob, '/admin.php')), GUISE_KEY: key };
    const client = await FcgiClient.connect(instance.socket);
    client.send(request(params));
    t.match((await client.answer()).body, `uid ${bob.user.uid}`, 'his files');
    client.end();
  });

  await t.test('guise: not from a directory that others may write', async (t) => {
    write();
    chmodSync(sites, 0o777);
    t.match(await reloaded(), /others than its owner|may write/);
    chmodSync(sites, 0o755);
    rmSync(file);
    await reloaded();
  });

  await t.test('guise: not with a main configuration that others may write', async (t) => {
    const { config } = instance.instance;
    chmodSync(config, 0o666);
    const { code, stdout, stderr } = await instance.run('check');
    t.not(code, 0);
    t.match(stdout + stderr, /may write/);
    t.match(await control(instance, 'POST', '/reload'), /may write/, 'nor is it read again');
    chmodSync(config, 0o644);
  });
});
