/** A request header "Proxy" becomes HTTP_PROXY, which many HTTP libraries take for their proxy (CVE-2016-5385).
 * PHP itself has ignored it since then; programs that a script starts, and other FastCGI programs, have not. */

import { get } from '../harness/http.js';
import { arena, forge, handOver, htaccess } from './arena.js';

/** What an HTTP library would ask, and a program that it starts. */
const page = `<?php echo json_encode([
  'other' => getenv('HTTP_PROXY_'), 'getenv' => getenv('HTTP_PROXY'), 'server' => $_SERVER['HTTP_PROXY'] ?? null, 'local' => getenv('HTTP_PROXY', true),
  'child' => trim((string) shell_exec('/usr/bin/env | grep -i "^http_proxy="'))]);`;

const evil = 'http://evil.test:8080';
const nothing = { other: evil, getenv: false, server: null, local: false, child: '' };

await arena(
  async (t, { instance, alice, fpm, guise }) => {
    // A header of almost that name shows that what visitors send does arrive.
    const headers = { proxy: evil, 'proxy-': evil };

    for (const side of [fpm, guise]) {
      for (const web of side.webs) {
        await t.test(`${side.name} behind ${web.name}: the visitor chooses no proxy`, async (t) => {
          t.same((await get(web.at(alice), '/proxy.php', { headers })).json(), nothing);
        });
      }
    }

    await t.test('guise: nor when the web server’s configuration sets it', async (t) => {
      for (const name of ['HTTP_PROXY', 'REDIRECT_HTTP_PROXY']) {
        htaccess(alice, ...handOver('proxy.php', instance.socket), forge(name, evil));
        t.same((await get(guise.apache(alice), '/proxy.php', { headers })).json(), nothing, name);
      }
    });
  },
  { nginx: true, alice: { files: { 'proxy.php': page } } },
);
