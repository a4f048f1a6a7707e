/** A visitor writes lines into a log that look like somebody else's: with line breaks in paths, names and headers. */

import { readFileSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { get, raw } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { arena, forge, handOver, htaccess } from './arena.js';

const forgedLine = '{"level":50,"msg":"forged"}';
const forgedWords = '203.0.113.9 admin has logged in';
const encoded = encodeURIComponent(`\r\n${forgedLine}\r\n`);
/** Line breaks of every kind, an escape sequence that moves a terminal's cursor, a NUL, and no UTF-8. */
const nasty = ['%0a', '%0d', '%0d%0a', '%e2%80%a8', '%c2%85', '%1b%5b2J', '%ff%fe', '%22%7d%0a'];

await arena(
  async (t, { world, instance, alice, fpm, guise }) => {
    const accessLog = `${world.directory}/fpm/${alice.name}.access.log`;

    await t.test('php-fpm: its access log has the line', async (t) => {
      // An expression of Apache knows \\n; a visitor's line breaks Apache itself refuses to pass on.
      htaccess(alice, forge('SCRIPT_NAME', `/x\\n${forgedWords}\\n`));
      await get(fpm.apache(alice), '/index.php');
      const log = await until('the log', () => readText(accessLog) || undefined);
      t.ok(log.split('\n').includes(forgedWords));
    });

    const lines = (): number => readFileSync(`${instance.instance.log}/guise.log`, 'utf8').split('\n').length;

    await t.test('guise: every line of the log is one that guise wrote', async (t) => {
      const before = lines();
      htaccess(alice, ...handOver('.*', instance.socket));
      let asked = 0;
      for (const web of guise.webs) {
        for (const bytes of [encoded, ...nasty.map((kind) => `${kind}${encoded}${kind}`)]) {
          await get(web.at(alice), `/x${bytes}.php?${bytes}`, { headers: { 'user-agent': forgedLine } });
          asked += 1;
        }
      }
      for (const name of ['SCRIPT_FILENAME', 'REQUEST_URI', 'SERVER_NAME', 'REQUEST_METHOD', 'REMOTE_ADDR']) {
        const both = [
          forge('SCRIPT_FILENAME', `${alice.root}/gone.php`),
          forge(name, `/x\\n${forgedWords}\\n`),
        ];
        htaccess(alice, ...handOver('.*', instance.socket), ...both);
        await get(guise.apache(alice), '/x.php');
      }
      await raw(guise.apache(alice).port, `G${forgedLine} / HTTP/1.0\r\nHost: a\r\n\r\n`).catch(() => '');
      const log = instance.log();
      t.ok(lines() > before, `${asked} visitors left ${lines() - before} lines`);
      t.same(
        log.filter((line) => line.msg === 'forged' || line.msg.startsWith('not a line')),
        [],
      );
      t.ok(
        log.some((line) => String(line.uri).includes('forged')),
        'what they sent is in it, as a string',
      );
      t.ok(log.some((line) => String(line.host).includes(`\n${forgedWords}`)));
    });

    await t.test('guise: no control byte reaches a terminal', async (t) => {
      const text = readFileSync(`${instance.instance.log}/guise.log`);
      t.notOk(text.some((byte) => byte !== 0x0a && (byte < 0x20 || byte === 0x7f)));
    });

    await t.test(
      'guise: nor does one stand in the site’s own ledger, and no line is forged there',
      async (t) => {
        const path = `${instance.instance.log}/sites/${alice.name}/requests.log`;
        const text = await until('what they sent', () => {
          const ledger = readText(path);
          return ledger.includes('forged') && ledger.includes(forgedWords) ? ledger : undefined;
        });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        t.notMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/);
        for (const line of text.split('\n').slice(0, -1)) {
          const record = JSON.parse(line) as Record<string, unknown>;
          t.match(record, { id: /^[0-9a-f]{12}$/, site: alice.name, uid: alice.user.uid });
          t.notOk('msg' in record);
        }
      },
    );

    await t.test('guise: nothing that a visitor sends is in a page of guise', async (t) => {
      htaccess(alice, ...handOver('.*', instance.socket));
      const reply = await get(guise.apache(alice), '/%3Cscript%3Ealert(1)%3C/script%3E.php?%3Cscript%3E', {
        headers: { referer: '<script>', 'user-agent': '<script>' },
      });
      t.match(reply.text(), 'Reference: ');
      t.notMatch(reply.text(), 'script');
    });
  },
  {
    nginx: true,
    pools: {
      lines: (site, directory) => `access.log = ${directory}/${site.name}.access.log\naccess.format = "%r"`,
    },
  },
);
