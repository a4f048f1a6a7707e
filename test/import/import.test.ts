/** Debian's own pool, pools and virtual hosts as people have them: every line has a fate, and what is written passes `guise check`. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Imported, ImportedSite } from '../../src/import/carry-out.js';
import { run as cli } from '../cli/run.js';
import { peers } from '../harness/peer.js';
import { type Instance, makeInstance } from '../site/instance.js';

const www = `${peers}/etc/php/8.2/fpm/pool.d/www.conf`;

async function imported(instance: Instance, ...args: string[]): Promise<Imported & { code: number }> {
  const { code, out, err } = await cli('import', ...args, '--json', '-c', instance.configFile);
  if (out === '') throw new Error(err);
  return { ...(JSON.parse(out) as Imported), code };
}

/** `key: kind` for every line. */
function fates({ fates: all }: ImportedSite): string[] {
  return all.map(({ text, kind }) => `${text}: ${kind}`);
}

function linesOf(file: string): number {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^[a-z]/.test(line)).length;
}

function fileIn(t: Test, instance: Instance, name: string, text: string): string {
  const file = `${instance.directory}/${name}`;
  writeFileSync(file, text);
  t.teardown(() => undefined);
  return file;
}

t.test("Debian's www.conf", async (t) => {
  const instance = makeInstance(t);
  const none = await imported(
    instance,
    'fpm',
    www,
    '--dry-run',
    '--nginx',
    fileIn(t, instance, 'n.conf', ''),
  );
  t.equal(none.code, 1);
  t.match(none.sites, [{ problems: [/no document root/] }]);
  const result = await imported(
    instance,
    'fpm',
    www,
    '--root',
    instance.root,
    '--nginx',
    `${instance.directory}/n.conf`,
  );
  const [site] = result.sites;
  t.equal(site?.fates.length, linesOf(www), 'a fate for every line');
  t.ok(site?.fates.every(({ note, line }) => note !== '' && line > 0));
  t.match(site && fates(site), [
    /^user = www-data: taken/,
    /^group = www-data: changed/,
    /^listen = .*: left/,
  ]);
  t.ok(site && fates(site).includes('pm.max_children = 5: taken'));
  t.match(
    site?.problems,
    [/this user is the web server's own/],
    'the user of the web server is nobody to run sites',
  );
  t.equal(site?.written, false);
});

const pool = `[global]
pid = /run/php.pid
[shop]
user = games
group = games
listen = /run/php/$pool.sock
listen.mode = 0660
pm = dynamic
pm.max_children = 12
pm.start_servers = 2
pm.max_requests = 500
pm.process_idle_timeout = 10s
request_terminate_timeout = 60s
request_slowlog_timeout = 5s
slowlog = /var/log/$pool.slow
rlimit_files = 1024
chdir = /
security.limit_extensions = .php .phtml
env[APP_ENV] = production
env[HOSTNAME] = $HOSTNAME
env[TMP] = /tmp
php_admin_value[memory_limit] = 256M
php_admin_value[session.save_path] = /var/lib/php/shop
php_admin_flag[display_errors] = off
php_value[date.timezone] = "Europe/Berlin"
frobnicate = yes
this is nothing
`;

t.test('a pool, with the hosts that use it in Apache and nginx', async (t) => {
  const instance = makeInstance(t);
  const file = fileIn(t, instance, 'shop.conf', pool);
  const apache = fileIn(
    t,
    instance,
    'apache.conf',
    `<VirtualHost *:80>
  ServerName shop.example
  ServerAlias www.shop.example *.shop.example
  DocumentRoot ${instance.root}
  <FilesMatch "\\.php$">
    SetHandler "proxy:unix:/run/php/shop.sock|fcgi://localhost"
  </FilesMatch>
</VirtualHost>`,
  );
  mkdirSync(`${instance.directory}/blog`);
  const nginx = fileIn(
    t,
    instance,
    'nginx.conf',
    `http { server { listen 80; server_name blog.example; root ${instance.directory}/blog;
       location ~ \\.php$ { include fastcgi_params; fastcgi_pass unix:/run/php/shop.sock; } } }`,
  );
  const args = ['fpm', file, '--apache', apache, '--nginx', nginx];
  const dry = await imported(instance, ...args, '--dry-run');
  t.match(dry, {
    code: 0,
    ok: true,
    sites: [{ name: 'shop.example', written: false }, { name: 'blog.example' }],
  });
  t.notMatch(JSON.stringify(dry), /[0-9a-f]{32}/, 'no key is shown');
  const result = await imported(instance, ...args);
  t.match(result, { code: 0, sites: [{ written: true, problems: [] }, { written: true }] });
  t.match(await cli('check', '-c', instance.configFile), { code: 0, out: /2 sites fine/ });

  const { out } = await cli('site', 'show', 'shop.example', '--json', '-c', instance.configFile);
  t.match(JSON.parse(out), {
    site: {
      aliases: ['www.shop.example'],
      user: 'games',
      maxWorkers: 12,
      maxRequests: 500,
      idleTimeoutMs: 10_000,
      timeLimitMs: 60_000,
      suffixes: ['.php', '.phtml'],
      env: { APP_ENV: 'production' },
    },
  });
  const text = readFileSync(`${instance.directory}/sites.d/shop.example.toml`, 'utf8');
  t.match(text, /memory_limit = "256M"/);
  t.match(text, /slow_after = "5s"/);
  t.match(text, /"date.timezone" = "Europe\/Berlin"/);
  t.notMatch(text, /session.save_path|HOSTNAME|TMP/);

  const [shop] = result.sites;
  t.equal(shop?.fates.length, linesOf(file) - 2, 'every line of the pool has a fate');
  t.match(shop && fates(shop), [/^user/, /^group/]);
  const kinds: Record<string, string> = {};
  for (const { text: line, kind } of shop?.fates ?? []) kinds[line.split(' ')[0] ?? ''] = kind;
  t.match(kinds, {
    'env[HOSTNAME]': 'left',
    'env[TMP]': 'changed',
    'php_admin_value[session.save_path]': 'changed',
    frobnicate: 'left',
    chdir: 'left',
    slowlog: 'changed',
  });
  t.match(result.fates, [{ text: /^pid = / }, { text: 'this is nothing', note: 'not understood' }]);
  t.match(await imported(instance, ...args), {
    code: 1,
    sites: [{ written: false, problems: [/already/] }, {}],
  });
});

t.test('virtual hosts with mpm-itk and suexec', async (t) => {
  const instance = makeInstance(t);
  const file = fileIn(
    t,
    instance,
    'vhosts.conf',
    `Define docs ${instance.root}
<VirtualHost *:80>
  ServerName Example.com:80
  ServerAlias www.example.com
  DocumentRoot "\${docs}/"
  AssignUserID games games
  MaxClientsVHost 20
  NiceValue 5
  php_admin_value memory_limit 128M
  php_admin_flag engine on
  ErrorLog \${APACHE_LOG_DIR}/error.log
  <Directory \${docs}>
    AllowOverride All
  </Directory>
</VirtualHost>
<VirtualHost *:443>
  ServerName example.com
  SSLEngine on
  DocumentRoot ${instance.root}
  AssignUserID games games
</VirtualHost>
<VirtualHost *:80>
  ServerName cgi.example
  DocumentRoot ${instance.root}
  SuexecUserGroup man man
  <FilesMatch "\\.php$">
    SetHandler fcgid-script
  </FilesMatch>
</VirtualHost>
<VirtualHost *:80>
  ServerName static.example
  DocumentRoot ${instance.root}
</VirtualHost>`,
  );
  const result = await imported(instance, 'apache', file);
  t.match(result.sites, [
    { name: 'example.com', written: true },
    { name: 'cgi.example', written: true },
    { written: false, problems: ['there is no user'] },
  ]);
  t.equal(result.code, 1, 'one of them could not be made');
  t.match(await cli('check', '-c', instance.configFile), { code: 0, out: /2 sites fine/ });
  const text = readFileSync(`${instance.directory}/sites.d/example.com.toml`, 'utf8');
  for (const line of [
    `root = "${instance.root}"`,
    'user = "games"',
    'max_workers = 20',
    'nice = 5',
    'memory_limit = "128M"',
  ])
    t.match(text, line);
  const [first] = result.sites;
  t.equal(first?.fates.length, 15, 'every line of both hosts');
  t.ok(first && fates(first).some((line) => /^errorlog .*: left$/.test(line)));
});

t.test('in words', async (t) => {
  const instance = makeInstance(t);
  const file = fileIn(t, instance, 'shop.conf', pool);
  const nginx = fileIn(t, instance, 'n.conf', '');
  const { out, code } = await cli(
    'import',
    'fpm',
    file,
    '--root',
    instance.root,
    '--dry-run',
    '--nginx',
    nginx,
    '-c',
    instance.configFile,
  );
  t.equal(code, 0);
  t.match(out, /^shop: would be written, from pool shop/);
  t.match(out, /taken {4}\S+shop.conf:9: pm.max_children = 12 {3}\(max_workers = 12\)/);
  t.match(out, /1 of 1 sites could be written \(nothing was\)$/);
  t.match(await cli('import', 'fpm', '/nowhere.conf', '-c', instance.configFile), {
    code: 2,
    err: /there is no \/nowhere.conf/,
  });
});
