import t from 'tap';
import { lighttpdConfiguration } from '../../src/web/lighttpd.js';
import { key } from '../site/instance.js';
import { checkLighttpd, makeWeb, oddRoot } from './servers.js';

const complete = { bare: false, form: 'sethandler' } as const;

t.test('a complete section that lighttpd takes as printed', async (t) => {
  const web = makeWeb(t);
  const text = lighttpdConfiguration(web.settings, web.make('www'), complete);
  t.match(checkLighttpd(web, text), { status: 0 });
  t.ok(text.includes('$HTTP["host"] =~ "^(a\\.example|www\\.a\\.example)(:[0-9]+)?$" {'));
  t.match(text, `"socket" => "${web.directory}/run/guise.sock"`);
  t.match(text, `"GUISE_KEY" => "${key}"`);
});

t.test('only what goes inside, and another address', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www');
  const bare = lighttpdConfiguration(web.settings, site, { ...complete, bare: true });
  t.notMatch(bare, '=~ "^(a');
  t.match(checkLighttpd(web, `$HTTP["host"] == "own" {\n${bare}\n}`), { status: 0 });
  const elsewhere = lighttpdConfiguration(web.settings, site, { ...complete, listen: '127.0.0.1:8080' });
  t.match(elsewhere, '$SERVER["socket"] == "127.0.0.1:8080" {');
  t.match(checkLighttpd(web, elsewhere), { status: 0 });
});

t.test('own sockets, suffixes, sites without a key', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www', 'socket = "own"\nsuffixes = [".php", ".phtml"]\n');
  const text = lighttpdConfiguration(web.settings, site, complete);
  t.equal(
    text.split(`"socket" => "${web.directory}/run/sites/a.example.sock"`).length,
    3,
    'once for each suffix',
  );
  t.match(text, 'static-file.exclude-extensions = ( ".php", ".phtml" )');
  t.match(checkLighttpd(web, text), { status: 0 });
  const keyless = lighttpdConfiguration(web.settings, { ...site, keys: [] }, complete);
  t.notMatch(keyless, 'GUISE_KEY');
  t.match(checkLighttpd(web, keyless), { status: 0 });
});

t.test('paths come out right, or are refused', async (t) => {
  const web = makeWeb(t);
  const odd = web.make(oddRoot);
  const text = lighttpdConfiguration(web.settings, odd, complete);
  t.match(checkLighttpd(web, text), { status: 0 });
  t.ok(text.includes(`server.document-root = "${odd.root.replaceAll('"', '\\"')}"`));
  t.throws(() => lighttpdConfiguration(web.settings, web.make('a\\b'), complete), {
    code: 'SITE_INVALID',
    message: /root/,
  });
});
