/**
 * `guise doctor` beside a real Apache: silent on a healthy instance; everything that can be broken is broken, found, and
 * mended by the very command that is printed. Then Apache accepts its configuration, and the sites answer.
 */

import { chmodSync, chownSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Diagnosis, Told } from '../../src/doctor/examine.js';
import { finish, succeed } from '../../src/quickstart/command.js';
import { layOut, startDaemon } from '../../src/quickstart/daemon.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import type { Whoami } from '../harness/php-pages.js';
import { shellFor } from '../harness/shell.js';
import { journey } from '../harness/world.js';

await journey(
  async (t, world) => {
    const { guise, users } = world;
    const { instance } = guise;
    const shell = shellFor(world.directory, instance.config);
    const sites: Record<string, Site> = {};
    for (const [name, user] of [
      ['plain', 'alice'],
      ['wrong', 'alice'],
      ['nokey', 'alice'],
      ['old', 'bob'],
      ['fpm', 'bob'],
      ['exec', 'bob'],
      ['path', 'bob'],
    ] as const) {
      sites[name] = await guise.addSite({
        name: `${name}.test`,
        user,
        args: ['--alias', `www.${name}.test`],
      });
    }
    const site = (name: string): Site => sites[name] ?? (Promise.reject(new Error(name)) as never);
    const all = Object.values(sites);
    const modules = ['suexec'];
    const apache = await apacheFor(world, all, { modules });
    const conf = `${world.directory}/apache-${apache.port}/apache.conf`;
    const doctor = async (): Promise<Diagnosis & { code: number; text: string }> => {
      const { code, stdout, stderr } = await guise.run('doctor', '--json', '--apache', conf);
      if (stdout === '') throw new Error(stderr);
      return { ...(JSON.parse(stdout) as Diagnosis), code, text: stdout };
    };
    const bad = ({ found }: Diagnosis): Told[] => found.filter(({ severity }) => severity !== 'note');
    for (const one of all)
      t.equal(((await get(apache.at(one), '/whoami.php')).json() as Whoami).uid, one.user.uid);

    await t.test('a healthy instance', async (t) => {
      chmodSync(conf, 0o640);
      const healthy = await doctor();
      t.same(bad(healthy), []);
      t.match(healthy, { code: 0, ok: true, sites: all.length, web: [conf] });
      const { stdout } = await guise.run('doctor', '--apache', conf);
      t.match(stdout, `7 sites, ${conf}: 0 errors, 0 warnings`);
    });

    const carol = await users.get('carol');
    const before = readFileSync(conf, 'utf8');
    const keyOf = (name: string): string => guise.keyOf(`${name}.test`) ?? '';
    const hostOf = (name: string): RegExp =>
      new RegExp(`<VirtualHost[^>]*>\\s+ServerName ${name}\\.test[\\s\\S]*?</VirtualHost>`);
    const edit = (name: string, change: (host: string) => string): void => {
      const text = readFileSync(conf, 'utf8');
      writeFileSync(
        conf,
        text.replace(hostOf(name), (host) => change(host)),
      );
    };
    await guise.addSite({ name: 'open.test', user: 'bob' });
    await guise.addSite({ name: 'loose.test', user: 'bob', args: ['--set', 'key_required=false'] });
    const newRoot = `${world.directory}/home/new`;
    mkdirSync(newRoot, { recursive: true });
    chownSync(newRoot, carol.uid, carol.gid);

    const expected: Record<string, () => void | Promise<void>> = {
      configuration: () => chmodSync(instance.log, 0o777),
      'site-files': () => chmodSync(`${instance.sites}/open.test.toml`, 0o644),
      sockets: () => chmodSync(guise.socket, 0o777),
      'control-socket': () => chmodSync(`${instance.run}/control.sock`, 0o600),
      'site-directories': () => chmodSync(`${instance.state}/sites/plain.test/tmp`, 0o755),
      'root-way': () => chmodSync(`${instance.directory}/home/plain.test`, 0o777),
      'web-file-owner': () => {
        const file = `${world.directory}/included.conf`;
        writeFileSync(file, '# nothing\n');
        chownSync(file, carol.uid, 0);
        writeFileSync(conf, `${readFileSync(conf, 'utf8')}\nInclude ${file}\n`);
      },
      'vhost-key-missing': () => edit('nokey', (host) => host.replace(/.*GUISE_KEY.*\n/, '')),
      'vhost-key-wrong': () => edit('wrong', (host) => host.replace(keyOf('wrong'), keyOf('plain'))),
      'vhost-key-old': async () => {
        await guise.says('site', 'set', 'old.test', '--rotate-key');
      },
      'vhost-without-site': () => {
        const host = hostOf('plain').exec(before)?.[0] ?? '';
        const text = host
          .replaceAll('plain.test', 'new.test')
          .replace(/DocumentRoot .*/, `DocumentRoot ${newRoot}`)
          .replace(/.*GUISE_KEY.*\n/, '');
        writeFileSync(conf, `${readFileSync(conf, 'utf8')}\n${text}\n`);
      },
      'served-by-another': () => {
        edit('fpm', (host) =>
          host.replace(guise.socket, '/run/php/nobody.sock').replace(/.*GUISE_(KEY|SITE).*\n/g, ''),
        );
        edit('exec', (host) =>
          host.replace('DocumentRoot', `SuexecUserGroup ${carol.name} ${carol.name}\nDocumentRoot`),
        );
      },
      // Through the socket of the php-fpm that is named above.
      'htaccess-other-socket': () => undefined,
      'mod-info': () => load('info'),
      'mod-status': () => load('status'),
      'backend-type': () =>
        edit('path', (host) =>
          host.replace(
            /<FilesMatch[\s\S]*<\/FilesMatch>/,
            `ProxyPassMatch "^(/.*\\.php(?:/.*)?)$" "unix:${guise.socket}|fcgi://x${site('path').root}$1"`,
          ),
        ),
      'key-not-required': () => undefined,
      'fix-pathinfo': async () => {
        await guise.says('site', 'set', 'plain.test', '--set', 'php_ini.set.cgi.fix_pathinfo=0');
      },
      'shared-php-directory': async () => {
        for (const name of ['plain.test', 'old.test'])
          await guise.says('site', 'set', name, '--set', 'php_ini.lock.opcache.file_cache=/var/cache/php');
      },
      'site-processes': async () => {
        await guise.says('site', 'set', 'wrong.test', '--set', 'limits.nproc=3');
      },
      memory: async () => {
        const workers = 3 * Math.ceil(totalmem() / (64 * 1024 ** 2));
        await guise.says('site', 'set', 'plain.test', '--set', `max_workers=${Math.min(workers, 10_000)}`);
        const text = readFileSync(instance.config, 'utf8');
        writeFileSync(instance.config, text.replace('max_workers = 20', `max_workers = ${workers}`));
      },
      'open-files': async () => {
        await succeed('prlimit', ['--pid', String(guise.pid), '--nofile=140:']);
      },
      clock: () => {
        const tomorrow = new Date(Date.now() + 86_400_000);
        utimesSync(`${instance.sites}/old.test.toml`, tomorrow, tomorrow);
      },
      // Last, because the edits above kept the mode.
      'web-secret': () => chmodSync(conf, 0o644),
    };
    const load = (name: string): void => {
      const text = readFileSync(conf, 'utf8');
      const line = `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so\n`;
      writeFileSync(conf, text.replace(/^LoadModule proxy_module/m, `${line}$&`));
    };

    await t.test('everything that was broken is found, and no key is shown', async (t) => {
      for (const how of Object.values(expected)) await how();
      // Nothing else is wrong with it where the wrapper of suexec is not installed.
      const { stderr } = await finish('/usr/sbin/apache2', ['-t', '-f', conf]);
      t.match(stderr, /Syntax OK|suEXEC is disabled/, 'Apache would take it');
      const sick = await doctor();
      t.equal(sick.code, 1);
      t.same([...new Set(bad(sick).map(({ id }) => id))].sort(), Object.keys(expected).sort());
      for (const one of sick.found) {
        t.ok(one.message.length > 10 && one.about !== '' && one.expected !== '', one.id);
        if (one.severity !== 'note') t.ok(one.remedy !== '', `${one.id} says what mends it`);
      }
      const { stdout } = await guise.run('doctor', '--apache', conf);
      for (const name of [...Object.keys(sites), 'open', 'loose'])
        t.notOk(stdout.includes(keyOf(name)) || sick.text.includes(keyOf(name)), `not the key of ${name}`);
      t.match(stdout, /error vhost-key-wrong: .*apache.conf:\d+\n {4}wrong.test sends the key of plain.test/);
    });

    await t.test('the commands that are printed mend it, one round after the other', async (t) => {
      // Where one command adds a line, those that name a line further down do nothing, and the next round names it anew.
      const ran = new Set<string>();
      for (let round = 0; round < 4; round++) {
        for (const { id, remedy } of bad(await doctor())) {
          const { code, stderr } = await shell.run(remedy);
          if (code === 0) ran.add(id);
          else t.comment(`${id}: ${remedy}\n${stderr}`);
        }
      }
      t.same([...ran].sort(), Object.keys(expected).sort(), 'each of them ran');
      const mended = await doctor();
      t.same(bad(mended), []);
      t.match(await finish('/usr/sbin/apache2', ['-t', '-f', conf]), { code: 0 }, 'Apache still takes it');
      t.equal(readFileSync(conf, 'utf8').includes(keyOf('new')), true, 'the new site has its key');
      await guise.says('reload');
      process.kill(apache.pid, 'SIGUSR1');
      // Those whose key was wrong, missing or old, and one that php-fpm was to serve.
      for (const name of ['wrong', 'nokey', 'old', 'fpm', 'path'])
        await until(`${name}.test to answer`, async () => {
          const reply = await get(apache.at(site(name)), '/whoami.php').catch(() => undefined);
          return reply?.status === 200 && (reply.json() as Whoami).uid === site(name).user.uid;
        });
    });

    await t.test('a second daemon', async (t) => {
      const other = layOut(`${world.directory}/other`, `[router]\nuser = "${guise.routerUser.name}"\n`);
      const text = readFileSync(other.config, 'utf8').replace(other.sites, instance.sites);
      writeFileSync(other.config, text);
      const second = await startDaemon(other, `${world.directory}/other.out`);
      world.undo.push('stop the other', () => second.stop());
      const [found] = bad(await doctor());
      t.match(found, { id: 'second-daemon', remedy: `kill ${second.pid}` });
      t.equal((await shell.run(found?.remedy ?? '')).code, 0);
      await second.stop();
      t.same(bad(await doctor()), []);
    });
  },
  { limits: 'max_workers = 20', router: 'max_connections = 64' },
);
