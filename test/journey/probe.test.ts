/**
 * `guise check SITE` through real web servers: a healthy site passes every step behind Apache and behind nginx; a wrong
 * key, a php-fpm in guise's place, and a site without confinement are told as what they are. No page is left behind.
 */

import { chownSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Probe } from '../../src/probe/probe.js';
import { startService } from '../../src/quickstart/command.js';
import { guiseProgram } from '../../src/quickstart/daemon.js';
import { until } from '../../src/quickstart/until.js';
import { startPhpFpm } from '../attack/php-fpm.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const limits = ['--set', 'limits.nofile=300', 'umask="027"', 'php_ini.lock.memory_limit=99M'];
  const good = await guise.addSite({ name: 'good.test', user: 'alice', args: limits });
  const open = await guise.addSite({ name: 'open.test', user: 'bob', args: ['--set', 'confine="off"'] });
  const keyed = await guise.addSite({ name: 'keyed.test', user: 'bob' });
  const foreign = await guise.addSite({ name: 'foreign.test', user: 'bob' });
  const sites = [good, open, keyed, foreign];
  const fpm = await startPhpFpm(world, [{ ...foreign, user: good.user }]);
  const nginx = await nginxFor(world, sites);
  const other = guise.keyOf('good.test') ?? '';
  const printed = async ({ name }: Site): Promise<string> => {
    const text = await guise.says('web', 'apache', name, '--bare');
    if (name === 'foreign.test')
      return text.replace(guise.socket, fpm.listen(foreign)).replace(/.*GENERIC.*/, '');
    return name === 'keyed.test'
      ? text.replace(/(GUISE_KEY) "[0-9a-f]+"/, `$1 "${other.replace(/^./, 'x')}"`)
      : text;
  };
  const apache = await apacheFor(world, sites, { inside: printed });
  const files = {
    apache: `${world.directory}/apache-${apache.port}/apache.conf`,
    nginx: `${world.directory}/nginx-${nginx.port}/test.conf`,
  };
  const check = async (
    site: Site,
    ...args: string[]
  ): Promise<Probe & { code: number; failed: string[] }> => {
    const { code, stdout, stderr } = await guise.run('check', site.name, '--json', ...args);
    if (stdout === '') throw new Error(stderr);
    const probe = JSON.parse(stdout) as Probe;
    return { ...probe, code, failed: probe.steps.filter(({ ok }) => !ok).map(({ step }) => step) };
  };
  const about = (probe: Probe, name: string): string =>
    probe.steps.find(({ step }) => step === name)?.about ?? '';
  const left = (): string[] =>
    sites.flatMap(({ root }) => readdirSync(root).filter((name) => name.startsWith('guise-probe')));

  await t.test('a healthy site, behind Apache and behind nginx', async (t) => {
    for (const server of ['apache', 'nginx'] as const) {
      const probe = await check(good, `--${server}`, files[server]);
      t.match(probe, { code: 0, ok: true, failed: [], user: good.user.name }, JSON.stringify(probe.steps));
      t.match(about(probe, 'user'), `uid ${good.user.uid}, gid ${good.user.gid}`);
      t.equal(about(probe, 'groups'), good.user.groups.join(' '));
      t.match(about(probe, 'limits'), 'nofile 300');
      t.equal(about(probe, 'umask'), '0027');
      t.match(about(probe, 'guise'), /pid \d+, a worker of good.test$/);
      t.match(about(probe, 'settings'), 'memory_limit');
      t.match(
        about(probe, 'confinement'),
        new RegExp(`^${world.directory}/home/[a-z]+.test/www/.* cannot be opened$`),
      );
    }
    const text = await guise.says('check', 'good.test', '--apache', files.apache);
    t.match(text, /^ok {4}web server .*Host: good.test[\s\S]*is as configured: its scripts run as /);
    t.match(await check(good, '--url', `http://127.0.0.1:${nginx.port}/x`, '--nginx', files.nginx), {
      ok: true,
    });
  });

  await t.test('without confinement the other site is open, and that is said', async (t) => {
    const probe = await check(open, '--nginx', files.nginx);
    t.match(probe, { ok: true, code: 0 });
    t.match(about(probe, 'confinement'), /^off, as configured: .*good.test.* can be opened/);
  });

  await t.test('a wrong key', async (t) => {
    const probe = await check(keyed, '--apache', files.apache);
    t.match(probe, { code: 1, ok: false, failed: ['key', 'answer'] });
    const [finding] = probe.steps.find(({ step }) => step === 'answer')?.findings ?? [];
    t.match(finding, {
      found: /status 403, wrong-key, reference [0-9a-f]{12}/,
      remedy: 'guise web rekey keyed.test',
    });
  });

  await t.test("php-fpm in guise's place, as another user", async (t) => {
    const probe = await check(foreign, '--apache', files.apache);
    t.equal(probe.code, 1);
    for (const step of ['guise', 'user'])
      t.ok(probe.failed.includes(step), `${step} in ${probe.failed.join()}`);
    const [finding] = probe.steps.find(({ step }) => step === 'guise')?.findings ?? [];
    t.match(finding?.found, `as fpm-fcgi, user ${good.user.name}`);
  });

  await t.test('what goes wrong before', async (t) => {
    t.match(await check(good, '--url', 'http://127.0.0.1:1', '--nginx', files.nginx), {
      code: 1,
      failed: ['answer'],
    });
    chownSync(good.root, 0, 0);
    const closed = await check(good, '--nginx', files.nginx);
    t.match(closed, { code: 1, failed: ['answer'] });
    const [finding] = closed.steps.find(({ step }) => step === 'answer')?.findings ?? [];
    t.match(finding?.message, `${good.user.name} cannot write`);
    chownSync(good.root, good.user.uid, good.user.gid);
    t.match((await guise.run('check', 'gone.test')).code, 7);
  });

  t.same(left(), [], 'no page is left');

  await t.test('interrupted while the web server is silent', async (t) => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const output = `${world.directory}/interrupted.out`;
    const args = [guiseProgram, 'check', 'good.test', '--config', guise.instance.config];
    const asking = startService(process.execPath, [...args, '--url', `http://127.0.0.1:${port}`], output);
    const connected = new Promise((resolve) => silent.once('connection', resolve));
    await connected;
    const [name = ''] = left();
    const page = readFileSync(`${good.root}/${name}`, 'utf8');
    t.match(page, /hash_equals/);
    // To others the page is not there.
    writeFileSync(`${good.root}/copy.php`, page);
    chownSync(`${good.root}/copy.php`, good.user.uid, good.user.gid);
    const reply = await get(nginx.at(good), '/copy.php');
    t.equal(reply.status, 404);
    await asking.stop('SIGINT');
    await until('the command to say so', () => readText(output).includes('the page has been removed'));
    t.same(left(), [], 'the page is gone');
    silent.close();
  });
});
