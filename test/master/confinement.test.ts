/** Which paths are opened to a site's processes. That the kernel keeps to them is shown elsewhere. */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { confinementOf, hidesProcesses } from '../../src/master/confinement.js';
import type { LandlockRules } from '../../src/os/launch.js';
import type { Site } from '../../src/site/site.js';

const alice = 64_901;
const deployer = 64_903;
const kernel = { abi: 7 };

interface Stage {
  readonly top: string;
  readonly rules: (more?: Partial<Site>) => LandlockRules;
}

function owned(path: string, owner: number): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
  chownSync(path, owner, owner);
  return path;
}

function stage(t: Test): Stage {
  const top = mkdtempSync('/tmp/guise-confinement-');
  t.teardown(() => rmSync(top, { recursive: true }));
  chmodSync(top, 0o755);
  const directories = {
    tmp: owned(`${top}/state/tmp`, alice),
    sessions: owned(`${top}/state/sessions`, alice),
    phpLog: `${owned(`${top}/log/a.test`, 0)}/php.log`,
    programLog: `${top}/log/a.test/program.log`,
    ini: owned(`${top}/run/php/a.test`, 0),
  };
  owned(`${top}/run/lib`, 0);
  owned(`${top}/site`, 0);
  const root = owned(`${top}/site/www`, alice);
  const site = {
    name: 'a.test',
    file: '/etc/guise/sites.d/a.test.toml',
    root,
    php: '/usr/bin/php-cgi',
    user: { name: 'alice', uid: alice, gid: alice, home: '/nonexistent', shell: '', groups: [alice] },
    trustedUids: [0, deployer],
    confine: 'landlock',
    readable: [],
    writable: [],
  };
  return {
    top,
    rules: (more = {}) => {
      const whole = { ...site, ...more } as unknown as Site;
      const found = confinementOf(whole, directories, `${top}/run/lib/preload.so`, false, kernel);
      if (found === undefined) throw new Error('there are no rules');
      return found;
    },
  };
}

t.test('a small site', async (t) => {
  const { top, rules } = stage(t);
  const { read, write, devices } = rules();
  for (const path of ['/usr', '/etc', '/proc/meminfo', `${top}/run/lib`, `${top}/run/php/a.test`]) {
    t.ok(read.includes(path), path);
  }
  const own = [`${top}/state/tmp`, `${top}/state/sessions`, `${top}/log/a.test`, `${top}/site/www`];
  t.same(
    write.filter((path) => path.startsWith(top)),
    own,
  );
  const foreign = [
    '/',
    '/home',
    '/root',
    '/var',
    '/tmp',
    '/var/tmp',
    '/dev/shm',
    '/proc',
    '/run',
    '/srv',
    '/var/www',
  ];
  for (const path of foreign) t.notOk([...read, ...write].includes(path), `not ${path}`);
  t.ok(devices.includes('/dev/null') && devices.every((path) => path.startsWith('/dev/')));
});

t.test('no path holds a link, and none is missing', async (t) => {
  const { read, write, devices } = stage(t).rules();
  for (const path of [...read, ...write, ...devices]) t.equal(realpathSync(path), path);
});

t.test("the user's home is his own, or it is not opened", async (t) => {
  const { top, rules } = stage(t);
  const home = (path: string) => rules({ user: { uid: alice, home: path } as Site['user'] }).write;
  owned(`${top}/home`, 0);
  t.ok(home(owned(`${top}/home/alice`, alice)).includes(`${top}/home/alice`));
  t.notOk(home(`${top}/home`).includes(`${top}/home`), 'one that is shared by many');
  t.notOk(home('/').includes('/'));
  t.notOk(home(`${top}/none`).includes(`${top}/none`));
});

t.test('a root behind a link', async (t) => {
  const { top, rules } = stage(t);
  owned(`${top}/app`, alice);
  owned(`${top}/app/releases/7`, alice);
  symlinkSync('releases/7', `${top}/app/current`);
  const { write } = rules({ root: `${top}/app/current` });
  t.ok(write.includes(`${top}/app/releases/7`));
  t.ok(write.includes(`${top}/app`), 'the release of tomorrow lies there too');

  chownSync(`${top}/app`, deployer, deployer);
  t.ok(
    rules({ root: `${top}/app/current` }).write.includes(`${top}/app`),
    'also when a trusted owner deploys',
  );
  chownSync(`${top}/app`, 0, 0);
  t.notOk(
    rules({ root: `${top}/app/current` }).write.includes(`${top}/app`),
    "a directory of root's is not opened",
  );
});

t.test('a root that its user turned to a neighbour', async (t) => {
  const { top, rules } = stage(t);
  owned(`${top}/bob`, 64_950);
  chownSync(`${top}/site`, alice, alice);
  renameSync(`${top}/site/www`, `${top}/site/old`);
  symlinkSync(`${top}/bob`, `${top}/site/www`);
  t.throws(() => rules(), { code: 'SITE_INVALID', message: /leads to .*\/bob, which is not the site's/ });
});

t.test('further paths of the site', async (t) => {
  const { top, rules } = stage(t);
  owned(`${top}/fonts`, 0);
  owned(`${top}/data`, 0);
  owned(`${top}/hers`, alice);
  symlinkSync('/', `${top}/hers/link`);
  const { read, write } = rules({
    readable: [`${top}/fonts`, `${top}/gone`, `${top}/hers/link`],
    writable: [`${top}/data`],
  });
  t.ok(read.includes(`${top}/fonts`));
  t.ok(write.includes(`${top}/data`));
  t.notOk(read.includes('/'), 'a link of hers to everything');
});

t.test('a PHP that lies elsewhere brings what is beside it', async (t) => {
  const { top, rules } = stage(t);
  owned(`${top}/php/8.9/bin`, 0);
  copyFileSync('/bin/true', `${top}/php/8.9/bin/php-cgi`);
  copyFileSync('/bin/true', `${top}/alone`);
  t.ok(rules({ php: `${top}/php/8.9/bin/php-cgi` }).read.includes(`${top}/php/8.9`));
  t.ok(rules({ php: `${top}/alone` }).read.includes(`${top}/alone`));
});

t.test('/proc as a whole where it hides the processes of others', async (t) => {
  const line = (options: string): string => `22 1 0:20 / /proc rw,nosuid - proc proc rw${options}\n`;
  for (const options of [',hidepid=2', ',gid=5,hidepid=invisible', ',hidepid=1,gid=5']) {
    t.ok(hidesProcesses(`1 0 8:1 / / rw - ext4 /dev/sda rw\n${line(options)}`), options);
  }
  for (const options of ['', ',hidepid=0', ',hidepid=off']) t.notOk(hidesProcesses(line(options)), options);
  t.notOk(hidesProcesses(line(',hidepid=2') + line('')), 'the last mount counts');
  t.notOk(hidesProcesses('22 1 0:20 / /jail/proc rw - proc proc rw,hidepid=2\n'));
});

t.test('off, and without Landlock', async (t) => {
  const { rules } = stage(t);
  t.throws(() => rules({ confine: 'off' }), 'there are no rules');
  const site = { name: 'a.test', confine: 'landlock' } as Site;
  const directories = { tmp: '', sessions: '', phpLog: '', programLog: '', ini: '' };
  const none = { abi: 0, reason: 'too old' };
  t.equal(confinementOf(site, directories, '', false, none), undefined);
  t.throws(() => confinementOf(site, directories, '', true, none), {
    code: 'NOT_PERMITTED',
    message: /too old/,
  });
  t.equal(confinementOf({ ...site, confine: 'off' }, directories, '', true, none), undefined);
});
