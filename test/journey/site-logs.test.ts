/** What a site's own logs hold: PHP's errors, whole and nobody else's, in files that do not grow without bound; what is slow. */

import { existsSync, statSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import type { Site } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

const long = 'x'.repeat(100_000);
/** To PHP's file, and to where PHP sends messages when it has none: the web server. */
const files = {
  'say.php': '<?php error_log("file ".$_GET["n"]); echo "said";',
  'stderr.php': `<?php ini_set('error_log', ''); echo 'a'; error_log('one '.$_GET['n']); echo 'b'; flush();
    error_log(str_repeat('x', 100000).' '.$_GET['n']); trigger_error('three '.$_GET['n'], E_USER_WARNING); echo 'c';
    for ($i = 0; $i < 500; $i++) error_log("many $i");`,
  'flood.php': '<?php for ($i = 0; $i < 300; $i++) error_log(str_repeat("y", 1000)); echo "flooded";',
  'before.php':
    '<?php ini_set("error_log", ""); error_log("before everything"); http_response_code(404); echo "gone";',
};

await journey(
  async (t, world) => {
    const { guise } = world;
    const sites = [
      await guise.addSite({ name: 'alice.test', user: 'alice', files, args: ['--set', 'slow_after=500ms'] }),
      await guise.addSite({
        name: 'direct.test',
        user: 'bob',
        files,
        args: ['--set', 'socket=own', '--set', 'dispatch=direct'],
      }),
    ] as const;
    const [alice] = sites;
    const apache = await apacheFor(world, sites);
    const nginx = await nginxFor(world, sites);
    const servers = [
      { at: (site: Site) => apache.at(site), words: () => apache.errorLog() },
      { at: (site: Site) => nginx.at(site), words: () => nginx.words() },
    ] as const;
    const file = (site: Site, name: string): string => `${guise.instance.log}/sites/${site.name}/${name}`;

    for (const site of sites) {
      for (const [n, server] of servers.entries()) {
        await t.test(`PHP’s errors, ${site.name} behind ${n === 0 ? 'Apache' : 'nginx'}`, async (t) => {
          const before = server.words().length;
          t.equal((await get(server.at(site), `/say.php?n=${n}`)).text(), 'said');
          const reply = await get(server.at(site), `/stderr.php?n=${n}`);
          t.equal(reply.text().replace(/<br \/>[\s\S]*<br \/>\n/, ''), 'abc');
          const gone = await get(server.at(site), '/before.php');
          t.match({ status: gone.status, text: gone.text() }, { status: 404, text: 'gone' });
          const text = readText(file(site, 'php.log'));
          const lines = text.split('\n');
          t.equal(lines.at(-1), '', 'the last line has its end');
          const dated = /^\[\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d [A-Z][^\]]*\] /;
          for (const line of lines.slice(0, -1))
            if (!dated.test(line)) t.fail(`no line: ${line.slice(0, 100)}`);
          const said = lines.map((line) => line.replace(dated, ''));
          t.ok(said.includes(`file ${n}`));
          t.ok(said.includes(`one ${n}`));
          t.ok(said.includes(`${long} ${n}`), 'uncut');
          t.ok(said.some((line) => line.startsWith('PHP Warning:  three')));
          t.equal(said.filter((line) => /^many \d+$/.test(line)).length, 500 * (n + 1));
          t.notMatch(server.words().slice(before), /AH01071|FastCGI sent in stderr|many 4/);
        });
      }
    }

    await t.test('they do not grow without bound', async (t) => {
      for (let n = 0; n < 4; n++) {
        t.equal((await get(apache.at(alice), '/flood.php')).text(), 'flooded');
        await until('a new file', () => statSync(file(alice, 'php.log')).size < 200_000);
      }
      t.ok(existsSync(file(alice, 'php.log.1')));
      t.ok(existsSync(file(alice, 'php.log.2')));
      t.notOk(existsSync(file(alice, 'php.log.3')));
      const { uid, mode } = statSync(file(alice, 'php.log'));
      t.match({ uid, mode: mode & 0o777 }, { uid: alice.user.uid, mode: 0o640 });
      await get(apache.at(alice), '/say.php?n=after');
      t.match(readText(file(alice, 'php.log')), 'file after');
    });

    await t.test('a slow request is told while it runs', async (t) => {
      const visit = get(servers[0].at(alice), '/slow.php?ms=3000');
      const text = await until('a line', () => readText(file(alice, 'slow.log')) || undefined);
      const line = JSON.parse(text) as Record<string, unknown>;
      t.match(line, {
        site: alice.name,
        uid: alice.user.uid,
        uri: '/slow.php?ms=3000',
        id: /^[0-9a-f]{12}$/,
      });
      t.match(line.process, { state: /^[A-Z]$/, userMs: Number, systemMs: Number, rssKb: Number });
      t.ok(guise.processesOf(alice.user).some(({ pid }) => pid === line.pid));
      t.ok(Number(line.runMs) >= 500);
      t.equal((await visit).status, 200, 'and is not disturbed');
      await get(servers[0].at(alice), '/whoami.php');
      t.equal(readText(file(alice, 'slow.log')).trim().split('\n').length, 1, 'once');
      t.match(
        await guise.says('logs', alice.name, '--slow'),
        /GET \/slow\.php\?ms=3000 runs for \d+ms: state/,
      );
      t.match(await guise.says('logs', alice.name, '--php', '-n', '1'), /file after/);
    });
  },
  { ledger: 'file_size = "200K"' },
);
