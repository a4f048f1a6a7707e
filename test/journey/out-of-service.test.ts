/** Sites that are switched off, given up after too many failures, or begun anew: their visitors are told, others never notice. */

import { copyFileSync, existsSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get, type Reply } from '../harness/http.js';
import { readText } from '../harness/log.js';
import type { Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/site does not start/, /site quarantined/, /SIGKILL/);
  const phpOf = (name: string): string => `${world.directory}/php-cgi-of-${name}`;
  const install = (name: string, program: string): void => {
    copyFileSync(program, `${phpOf(name)}.new`);
    renameSync(`${phpOf(name)}.new`, phpOf(name));
  };
  /** The script takes the file away at once: nothing more can be done to it. */
  const letGo = (site: Site): void => writeFileSync(`${site.root}/go`, '');
  const real = realpathSync('/usr/bin/php-cgi');
  for (const name of ['routed.test', 'direct.test']) install(name, real);
  const hold = `<?php touch('held'); while (!file_exists('go')) { usleep(10000); clearstatcache(); } unlink('go'); unlink('held');`;
  const files = { 'hold.php': hold };
  const own = (name: string): string[] => [
    '--set',
    `php=${phpOf(name)}`,
    'quarantine_after=2',
    'max_workers=2',
  ];
  const routed = await guise.addSite({ name: 'routed.test', user: 'alice', args: own('routed.test'), files });
  const direct = await guise.addSite({
    name: 'direct.test',
    user: 'bob',
    files,
    args: [...own('direct.test'), 'socket=own', 'dispatch=direct', 'idle_timeout=500ms'],
  });
  const neighbour = await guise.addSite({ name: 'neighbour.test', user: 'carol' });
  const sites = [routed, direct];
  const apache = await apacheFor(world, [...sites, neighbour]);
  const ask = (site: Site, path = '/whoami.php'): Promise<Reply> => get(apache.at(site), path);
  const pidOf = async (site: Site): Promise<number> => ((await ask(site)).json() as Whoami).pid;
  const isRefused = (reply: Reply): boolean =>
    reply.status === 503 && /out of service at present.*Reference: /s.test(reply.text());
  const stateOf = async (site: Site): Promise<string> => (await guise.siteStatus(site.name)).state;

  for (const site of sites) {
    await t.test(`${site.name}: switched off and on`, async (t) => {
      const running = ask(site, '/hold.php');
      await until('it to run', () => existsSync(`${site.root}/held`));
      t.equal(await guise.says('site', 'disable', site.name), `disabled ${site.name}\n`);
      const refused = await ask(site);
      t.ok(isRefused(refused), `${refused.status} ${refused.text()}`);
      letGo(site);
      t.equal((await running).status, 200, 'what ran has finished');
      t.match(readText(`${guise.instance.sites}/${site.name}.toml`), /^enabled = false$/m);
      t.equal(await stateOf(site), 'disabled');
      await guise.says('reload');
      t.ok(isRefused(await ask(site)), 'and it stays so');
      await guise.says('site', 'enable', site.name);
      t.equal((await ask(site)).status, 200);
      t.notMatch(readText(`${guise.instance.sites}/${site.name}.toml`), 'enabled');
    });

    await t.test(`${site.name}: begun anew`, async (t) => {
      const before = await pidOf(site);
      const running = ask(site, '/hold.php');
      await until('it to run', () => existsSync(`${site.root}/held`));
      const { enabled } = JSON.parse(await guise.says('site', 'restart', site.name, '--json')) as {
        enabled: boolean;
      };
      t.ok(enabled);
      t.not(await pidOf(site), before, 'another process');
      letGo(site);
      t.equal((await running).status, 200, 'what ran has finished');
    });

    await t.test(`${site.name}: a PHP that does not start any more`, async (t) => {
      install(site.name, '/bin/false');
      await guise.says('site', 'restart', site.name);
      const page = await until('quarantine', async () => {
        const reply = await ask(site);
        return isRefused(reply) ? reply : undefined;
      });
      t.ok(Number(page.headers['retry-after']) > 0);
      t.equal((await ask(neighbour)).status, 200, 'others never notice');
      const { state, reason } = await guise.siteStatus(site.name);
      t.same([state, reason], ['quarantined', 'php-cgi ended at its start: exit code 1']);
      t.match(await guise.says('status'), `guise site enable ${site.name}`);
      t.match((await guise.run('doctor')).stdout, /site-quarantined|failed too often in a row/);
      t.match(await guise.says('metrics'), `guise_site_quarantined{site="${site.name}"} 1`);

      install(site.name, real);
      t.ok(isRefused(await ask(site)), 'it is not tried by itself');
      await guise.says('site', site === routed ? 'enable' : 'restart', site.name);
      t.equal((await ask(site)).status, 200);
      t.equal(await stateOf(site), 'active');
    });

    await t.test(`${site.name}: a change of its configuration ends it too`, async (t) => {
      install(site.name, '/bin/false');
      await guise.says('site', 'restart', site.name);
      await until('quarantine', async () => isRefused(await ask(site)));
      install(site.name, real);
      await guise.says('site', 'set', site.name, '--set', 'max_workers=3');
      t.equal((await ask(site)).status, 200);
    });
  }

  await t.test('a script that crashes PHP does not put a site into quarantine that works', async (t) => {
    for (let i = 0; i < 8; i++) t.equal((await ask(routed, '/crash.php?how=kill')).status, 502);
    t.equal((await ask(routed)).status, 200);
  });

  await t.test('a site of which nothing has ever worked, because every worker crashes', async (t) => {
    const set = ['quarantine_after=2', 'php_ini.set.auto_prepend_file=crash.php'];
    await guise.addSite({ name: 'broken.test', user: 'dave', args: ['--set', ...set] });
    const both = await apacheFor(world, [{ ...neighbour, name: 'broken.test' }]);
    const reply = await until('quarantine', async () => {
      const answer = await get(both.at({ ...neighbour, name: 'broken.test' }), '/whoami.php?how=kill');
      return answer.status === 503 ? answer : undefined;
    });
    t.ok(isRefused(reply));
    t.match((await guise.siteStatus('broken.test')).reason, /worker \d+ ended: SIGKILL/);
  });
});
