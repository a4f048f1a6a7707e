import t from 'tap';
import { apacheConfiguration } from '../../src/web/apache.js';
import { key } from '../site/instance.js';
import { checkApache, makeWeb, oddRoot } from './servers.js';

const complete = { bare: false, form: 'sethandler' } as const;

t.test('a complete virtual host that Apache takes as printed', async (t) => {
  const web = makeWeb(t);
  const text = apacheConfiguration(web.settings, web.make('www'), complete);
  t.match(checkApache(web, text), { status: 0, words: /Syntax OK/ });
  t.match(text, '<VirtualHost *:80>');
  t.match(text, 'ServerName a.example\n    ServerAlias www.a.example\n');
  t.match(text, `SetHandler "proxy:unix:${web.directory}/run/guise.sock|fcgi://guise-a.example/"`);
  t.match(text, `ProxyFCGISetEnvIf "true" GUISE_KEY "${key}"`);
  t.match(text, 'ProxyFCGISetEnvIf "true" GUISE_SITE "a.example"');
  t.match(text, 'ProxyTimeout 165', 'longer than time_limit and queue_timeout together');
  t.match(text, /keep this file root's, mode 0640/);
});

t.test('the key is set by nothing that .htaccess can read', async (t) => {
  const web = makeWeb(t);
  const lines = apacheConfiguration(web.settings, web.make('www'), complete).split('\n');
  const holding = lines.filter((line) => line.includes(key)).map((line) => line.trim().split(' ')[0]);
  t.same(holding, ['ProxyFCGISetEnvIf']);
});

t.test('only what goes inside, and another address', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www');
  const bare = apacheConfiguration(web.settings, site, { ...complete, bare: true });
  t.notMatch(bare, /VirtualHost [*\d]|ServerName|DocumentRoot/);
  t.match(checkApache(web, `<VirtualHost *:80>\nServerName own\n${bare}\n</VirtualHost>`), { status: 0 });
  const elsewhere = apacheConfiguration(web.settings, site, { ...complete, listen: '127.0.0.1:8080' });
  t.match(elsewhere, '<VirtualHost 127.0.0.1:8080>');
  t.match(checkApache(web, elsewhere), { status: 0 });
});

t.test('ProxyPassMatch', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www');
  const text = apacheConfiguration(web.settings, site, { bare: false, form: 'proxypassmatch' });
  t.match(checkApache(web, text), { status: 0 });
  const target = `unix:${web.directory}/run/guise.sock|fcgi://guise-a.example${site.root}$1`;
  t.ok(text.includes(`ProxyPassMatch "^(/.*\\.php(?:/.*)?)$" "${target}"`));
  t.notMatch(text, /^\s*(SetHandler|ProxyFCGIBackendType)/m);
  t.match(text, '<Location "/">\n        CGIPassAuth On', 'where <Directory> does not reach');
});

t.test('own sockets, suffixes, sites without a key', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www', 'socket = "own"\nsuffixes = [".php", ".phtml"]\n');
  const text = apacheConfiguration(web.settings, site, complete);
  t.match(text, `proxy:unix:${web.directory}/run/sites/a.example.sock|`);
  t.match(text, '<FilesMatch "\\.(?:php|phtml)$">');
  t.match(checkApache(web, text), { status: 0 });
  t.notMatch(apacheConfiguration(web.settings, { ...site, keys: [] }, complete), 'GUISE_KEY');
});

t.test('on the direct lane connections are kept', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www', 'socket = "own"\ndispatch = "direct"\n');
  const text = apacheConfiguration(web.settings, site, complete);
  const target = /SetHandler "proxy:(.+)"/.exec(text)?.[1];
  t.ok(text.includes(`<Proxy "${target}" enablereuse=on>`), 'of the very target that scripts are handed to');
  t.match(checkApache(web, text), { status: 0 });
  t.notMatch(apacheConfiguration(web.settings, { ...site, dispatch: 'router' }, complete), 'enablereuse');
});

t.test('paths come out right, or are refused', async (t) => {
  const web = makeWeb(t);
  const odd = web.make(oddRoot);
  const text = apacheConfiguration(web.settings, odd, complete);
  t.match(checkApache(web, text), { status: 0 });
  t.ok(text.includes(`DocumentRoot "${odd.root.replaceAll('"', '\\"')}"`));
  const wildcard = { code: 'SITE_INVALID', message: /"\*" has a meaning there/ };
  t.throws(() => apacheConfiguration(web.settings, web.make('a*b'), complete), wildcard);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Apache's own placeholder is what is tried here
  t.throws(() => apacheConfiguration(web.settings, web.make('a${b}'), complete), { code: 'SITE_INVALID' });
  t.throws(() => apacheConfiguration(web.settings, odd, { bare: false, form: 'proxypassmatch' }), {
    code: 'SITE_INVALID',
  });
  const settings = { ...web.settings, paths: { ...web.settings.paths, run: '/run/g|x' } };
  t.throws(() => apacheConfiguration(settings, odd, complete), { code: 'SITE_INVALID', message: /socket/ });
});
