/**
 * Sites that are not PHP: a Perl and a Node program behind real web servers, with the identity, the limits and the
 * confinement that a PHP site has; started when somebody comes, more of them where one is not enough, gone when nobody
 * does, there again when they died.
 */

import { existsSync, readlinkSync, statSync } from 'node:fs';
import { finish } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { type Address, get } from '../harness/http.js';
import { lighttpdFor } from '../harness/lighttpd.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import {
  installProgram,
  nodeCommand,
  type ProgramSeen,
  perlCommand,
  programFiles,
} from '../harness/programs.js';
import { journey } from '../harness/world.js';

const settings = [
  'max_workers=4',
  'idle_timeout=60s',
  'time_limit=60s',
  'umask=027',
  'nice=3',
  'env.APP=prod',
];

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/site does not start/);
  const add = async (name: string, user: string, command: string): Promise<Site> => {
    const site = await guise.addSite({
      name,
      user,
      files: programFiles,
      args: ['--set', command, ...settings],
    });
    await installProgram(site);
    return site;
  };
  const perl = await add('perl.test', 'alice', perlCommand);
  const node = await add('node.test', 'bob', nodeCommand);
  const sites = [perl, node];
  const apache = await apacheFor(world, sites);
  const servers = [apache, await nginxFor(world, sites), await lighttpdFor(world, sites, 'printed')] as const;
  const labels = ['Apache', 'nginx', 'lighttpd'];
  const socketOf = (site: Site): string => `${guise.instance.run}/sites/${site.name}.sock`;
  const ask = async (at: Address, path: string, body?: string): Promise<ProgramSeen> => {
    const reply = await get(at, path, body === undefined ? {} : { method: 'POST', body });
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text()}`);
    return reply.json() as ProgramSeen;
  };

  await t.test('nothing runs before somebody comes', async (t) => {
    for (const site of sites) {
      t.ok(statSync(socketOf(site)).isSocket());
      t.same(guise.processesOf(site.user), []);
    }
  });

  for (const site of sites) {
    for (const [n, server] of servers.entries()) {
      await t.test(`${site.name} behind ${labels[n] ?? ''}: identity, environment, parameters`, async (t) => {
        const seen = await ask(server.at(site), '/shop/item%201?x=%20y', 'a=1&b=2');
        t.equal(seen.uid, site.user.uid);
        t.same(
          [...new Set([seen.gid, ...seen.groups])].sort((a, b) => a - b),
          site.user.groups,
        );
        t.equal(seen.umask, 0o027);
        t.equal(seen.nice, 3);
        t.equal(seen.cwd, site.root);
        t.match(seen.environment, { USER: site.user.name, APP: 'prod', TMPDIR: new RegExp(site.name) });
        t.notMatch(JSON.stringify(seen.environment), /GUISE|SUDO|npm_|TAP/);
        t.match(seen.params, {
          SCRIPT_NAME: '',
          PATH_INFO: '/shop/item 1',
          QUERY_STRING: 'x=%20y',
          REQUEST_METHOD: 'POST',
          REQUEST_URI: '/shop/item%201?x=%20y',
        });
        t.equal(seen.body, 'a=1&b=2');
        const { params } = await ask(server.at(site), '/').then((answer) => answer);
        t.equal(params.PATH_INFO, '/');
        const httpoxy = await get(server.at(site), '/', { headers: { proxy: 'http://evil/' } });
        t.notMatch(httpoxy.text(), /HTTP_PROXY":"http/);
      });
    }

    await t.test(`${site.name}: descriptors, confinement, words`, async (t) => {
      const at = apache.at(site);
      const { pid } = await ask(at, '/words/hello');
      t.match(readlinkSync(`/proc/${pid}/fd/0`), /^socket:/);
      const log = `${guise.instance.log}/sites/${site.name}/program.log`;
      await until('its words in its log', () => readText(log).includes('hello\n'));
      t.equal(statSync(log).uid, site.user.uid);
      const other = site === perl ? node : perl;
      const denied = (await ask(at, `/read?${other.root}/app.pl`)) as ProgramSeen & { read: string };
      t.match(denied.read, /EACCES|denied/, 'a file that modes let it read, of another site');
    });
  }

  await t.test('more processes where one keeps others waiting, and not where it does not', async (t) => {
    for (const [site, expected] of [
      [perl, 4],
      [node, 1],
    ] as const) {
      const asked = Array.from({ length: 8 }, () => ask(apache.at(site), '/wait?eight'));
      if (site === perl)
        await until('four', async () => (await guise.siteStatus(perl.name)).workers.busy === 4, 30_000);
      else await until('one', async () => (await guise.siteStatus(node.name)).workers.busy === 1, 30_000);
      writeAs(site, 'eight', '');
      const pids = new Set((await Promise.all(asked)).map(({ pid }) => pid));
      t.equal(pids.size, expected);
      const { workers } = await guise.siteStatus(site.name);
      t.ok(workers.total <= 4);
    }
  });

  await t.test('the status says who is busy', async () => {
    const running = ask(apache.at(perl), '/wait?one');
    await until('a busy process', async () => (await guise.siteStatus(perl.name)).workers.busy === 1);
    writeAs(perl, 'one', '');
    await running;
  });

  for (const site of sites) {
    await t.test(`${site.name}: killed, or ended by itself, it is there again`, async (t) => {
      const at = apache.at(site);
      const before = guise.processesOf(site.user).map(({ pid }) => pid);
      t.ok(before.length > 0);
      for (const pid of before) process.kill(pid, 'SIGKILL');
      await until('their ends', () => !before.some((pid) => existsSync(`/proc/${pid}`)));
      const after = await ask(at, '/');
      t.notOk(before.includes(after.pid));
      t.not((await get(at, '/die')).status, 200);
      await until('its end', () => !existsSync(`/proc/${after.pid}`));
      t.not((await ask(at, '/')).pid, after.pid);
      t.ok(await guise.logged(/worker died/));
    });
  }

  await t.test('a change lets requests finish, and the next one meets the new program', async (t) => {
    const at = apache.at(perl);
    const { pid } = await ask(at, '/');
    const running = ask(at, '/wait?change');
    await until('it to run', async () => (await guise.siteStatus(perl.name)).workers.busy > 0);
    await guise.says('site', 'set', perl.name, '--set', 'env.APP=test');
    const next = await ask(at, '/');
    t.equal(next.environment.APP, 'test');
    t.not(next.pid, pid);
    writeAs(perl, 'change', '');
    t.equal((await running).environment.APP, 'prod', 'what ran has finished');
    await until('the old ones to end', () => !existsSync(`/proc/${pid}`), 20_000);
  });

  await t.test('only the web server may connect', async (t) => {
    const script = `require('node:net').connect(process.argv[1]).on('error', (e) => console.log(e.code)).on('connect', () => { console.log('connected'); process.exit(); });`;
    const speak = async (user: string): Promise<string> =>
      (await finish('runuser', ['-u', user, '--', process.execPath, '-e', script, socketOf(perl)])).stdout;
    t.equal((await speak('www-data')).trim(), 'connected');
    // Also the site's own user, and whoever may speak on the sockets where guise asks who he is.
    for (const site of sites) t.equal((await speak(site.user.name)).trim(), 'EACCES');
    t.equal(statSync(socketOf(perl)).mode & 0o777, 0o600);
  });

  await t.test('without a connection it goes after its idle timeout, and comes back', async (t) => {
    for (const site of sites) await guise.says('site', 'set', site.name, '--set', 'idle_timeout=1s');
    for (const site of sites) t.equal((await ask(apache.at(site), '/')).uid, site.user.uid);
    // One that answers for longer than the timeout is not idle.
    const long = ask(apache.at(perl), '/wait?idle');
    setTimeout(() => writeAs(perl, 'idle', ''), 2500);
    t.equal((await long).uid, perl.user.uid);
    for (const site of sites) {
      await until('it to end', () => guise.processesOf(site.user).length === 0, 30_000);
      t.equal((await guise.siteStatus(site.name)).state, 'quiet');
      t.equal((await ask(apache.at(site), '/')).uid, site.user.uid);
    }
  });

  await t.test('a program that cannot start is tried less and less, and alone', async (t) => {
    await guise.says('site', 'set', perl.name, '--set', 'command=["/usr/bin/perl", "missing.pl"]');
    const waiting = get(apache.at(perl), '/').catch(() => undefined);
    await until('it to be throttled', async () => (await guise.siteStatus(perl.name)).state === 'throttled');
    t.match((await guise.siteStatus(perl.name)).lastProblem, /ended|exit code/);
    t.match(readText(`${guise.instance.log}/sites/${perl.name}/program.log`), /missing\.pl/);
    t.equal((await ask(apache.at(node), '/')).uid, node.user.uid);
    writeAs(perl, 'missing.pl', programFiles['app.pl'].replace('use strict;', 'use lib "lib";'));
    await guise.says('site', 'set', perl.name, '--set', perlCommand);
    await waiting;
    t.equal((await ask(apache.at(perl), '/')).uid, perl.user.uid, 'mended');
  });

  await t.test('stopping lets a running request finish', async (t) => {
    const running = ask(apache.at(perl), '/wait?stop');
    await until('it to run', async () => (await guise.siteStatus(perl.name)).workers.busy > 0);
    const stopped = guise.stop();
    await until('its socket to be gone', () => !existsSync(socketOf(perl)));
    writeAs(perl, 'stop', '');
    await stopped;
    t.equal((await running).uid, perl.user.uid);
  });
});
