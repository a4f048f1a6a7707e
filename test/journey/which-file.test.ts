/**
 * Which file php-cgi opens: the combinations of parameters that lead it elsewhere, sent by a real Apache and a real
 * nginx whose configuration a tenant or a careless administrator has bent, for both settings of cgi.fix_pathinfo.
 */

import { apacheFor } from '../harness/apache.js';
import { type Site, writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import type { Seen } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

const dump = '<?php echo json_encode(["file" => __FILE__, "server" => $_SERVER]);';

interface Row {
  /** Parameters that replace those of the web server; `ROOT` stands for the site's root. */
  readonly sent: Readonly<Record<string, string>>;
  /** The file that runs, or the reason why none does. */
  readonly runs?: string;
  readonly refused?: string;
}

const rows: readonly Row[] = [
  { sent: { SCRIPT_FILENAME: 'ROOT/t.php' }, runs: '/t.php' },
  { sent: { SCRIPT_FILENAME: 'proxy:fcgi://any/ROOT/t.php' }, runs: '/t.php' },
  { sent: { SCRIPT_FILENAME: 'proxy:balancer://any/ROOT/t.php' }, runs: '/t.php' },
  { sent: { SCRIPT_FILENAME: 'ROOT/img.jpg' }, refused: 'script-suffix' },
  { sent: { SCRIPT_FILENAME: 'ROOT/img.jpg/x.php' }, refused: 'script-suffix' },
  {
    sent: { SCRIPT_FILENAME: 'ROOT/a.php', PATH_TRANSLATED: 'ROOT/t.php', REDIRECT_URL: '/t.php' },
    runs: '/a.php',
  },
  { sent: { SCRIPT_FILENAME: 'ROOT/a.php', PATH_TRANSLATED: 'ROOT/t.php' }, runs: '/a.php' },
  {
    sent: {
      SCRIPT_FILENAME: 'ROOT/t.php',
      PATH_INFO: '/foo',
      PATH_TRANSLATED: 'ROOT/foo',
      REDIRECT_URL: '/pretty/foo',
    },
    runs: '/t.php',
  },
  { sent: { SCRIPT_FILENAME: 'ROOT/t.php', PATH_INFO: '/foo' }, runs: '/t.php' },
  { sent: { SCRIPT_FILENAME: 'ROOT/t.php/foo' }, runs: '/t.php' },
  { sent: { SCRIPT_FILENAME: '/etc/passwd' }, refused: 'script-outside-root' },
  { sent: { SCRIPT_FILENAME: 'ROOT/../www/t.php' }, refused: 'script-bad-path' },
  { sent: { SCRIPT_FILENAME: 'ROOT/none.php' }, refused: 'script-not-found' },
];

function parameters(row: Row, site: Site): [string, string][] {
  return Object.entries(row.sent).map(([name, value]) => [name, value.replace('ROOT', site.root)]);
}

function apacheLines(site: Site): string {
  return rows
    .map((row, n) => {
      const lines = parameters(row, site).map(
        ([name, value]) => `ProxyFCGISetEnvIf "true" ${name} "${value}"`,
      );
      return `<Location "/row${n}.php">\n${lines.join('\n')}\n</Location>`;
    })
    .join('\n');
}

/** A location for each row: the printed one, with parameters behind it that come last and so count. */
function nginxLines(printed: string, site: Site): string {
  const location = /location ~ "[\s\S]*?\n\}/.exec(printed)?.[0] ?? '';
  const locations = rows.map((row, n) => {
    const lines = parameters(row, site).map(([name, value]) => `fastcgi_param ${name} "${value}";`);
    return location
      .replace(/^location ~ "[^"]*"/, `location = /row${n}.php`)
      .replace(/\}$/, `${lines.join('\n')}\n}`);
  });
  return `${locations.join('\n')}\n${printed}`;
}

await journey(async (t, world) => {
  const { guise } = world;
  for (const setting of ['1', '0']) {
    const site = await guise.addSite({
      name: `pathinfo${setting}.test`,
      user: 'alice',
      args: ['--set', `php_ini.set.cgi.fix_pathinfo=${setting}`],
    });
    for (const name of ['a.php', 't.php', 'img.jpg']) writeAs(site, name, dump);
    for (const n of rows.keys()) writeAs(site, `row${n}.php`, dump);
    const bare = await guise.says('web', 'apache', site.name, '--bare');
    const apache = await apacheFor(world, [site], { inside: () => `${bare}\n${apacheLines(site)}` });
    const printed = await guise.says('web', 'nginx', site.name, '--bare');
    const nginx = await nginxFor(world, [site], {
      inside: () => nginxLines(printed, site).replace(/^root .*$/m, ''),
    });
    for (const [name, server] of [
      ['Apache', apache],
      ['nginx', nginx],
    ] as const) {
      await t.test(`${name}, cgi.fix_pathinfo=${setting}`, async (t) => {
        for (const [n, row] of rows.entries()) {
          const reply = await get(server.at(site), `/row${n}.php`);
          const what = JSON.stringify(row.sent);
          if (row.runs !== undefined) {
            t.equal(reply.status, 200, what);
            t.equal((reply.json() as Seen).file, `${site.root}${row.runs}`, what);
          } else {
            const reference = /Reference: ([0-9a-f]+)/.exec(reply.text())?.[1] ?? 'none';
            const [line] = await guise.logged(new RegExp(reference));
            t.equal(line?.reason, row.refused, what);
          }
        }
      });
    }
  }
});
