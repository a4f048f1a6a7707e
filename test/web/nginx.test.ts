import t from 'tap';
import { nginxConfiguration } from '../../src/web/nginx.js';
import { key } from '../site/instance.js';
import { checkNginx, makeWeb, oddRoot } from './servers.js';

const complete = { bare: false, form: 'sethandler' } as const;

t.test('a complete server that nginx takes as printed', async (t) => {
  const web = makeWeb(t);
  const text = nginxConfiguration(web.settings, web.make('www'), complete);
  t.match(checkNginx(web, text), { status: 0, words: /test is successful/ });
  t.match(text, 'listen 80;\n    server_name a.example www.a.example;');
  t.match(text, `fastcgi_pass unix:${web.directory}/run/guise.sock;`);
  t.match(text, new RegExp(`fastcgi_param GUISE_KEY +"${key}";`));
  t.match(text, 'client_max_body_size 268435456;');
  t.match(text, 'fastcgi_read_timeout 165s;');
});

t.test('only what goes inside, and another address', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www');
  const bare = nginxConfiguration(web.settings, site, { ...complete, bare: true });
  t.notMatch(bare, /^ *(server|listen|server_name) /m);
  t.match(checkNginx(web, `server {\nlisten 127.0.0.1:80;\n${bare}\n}`), { status: 0 });
  const elsewhere = nginxConfiguration(web.settings, site, { ...complete, listen: '[::1]:8080' });
  t.match(elsewhere, 'listen [::1]:8080;');
  t.match(checkNginx(web, elsewhere), { status: 0 });
});

t.test('own sockets, suffixes, no body, sites without a key', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www', 'socket = "own"\nsuffixes = [".php", ".phtml"]\nmax_body = 0\n');
  const text = nginxConfiguration(web.settings, site, complete);
  t.match(text, `fastcgi_pass unix:${web.directory}/run/sites/a.example.sock;`);
  t.match(text, 'location ~ "[^/]\\.(?:php|phtml)(/|$)" {');
  t.match(text, 'client_max_body_size 1;', '0 would be no limit at all');
  t.match(checkNginx(web, text), { status: 0 });
  t.notMatch(nginxConfiguration(web.settings, { ...site, keys: [] }, complete), 'GUISE_KEY');
});

t.test('on the direct lane connections are kept', async (t) => {
  const web = makeWeb(t);
  const site = web.make('www', 'socket = "own"\ndispatch = "direct"\nmax_workers = 5\n');
  const text = nginxConfiguration(web.settings, site, complete);
  t.match(text, /^upstream guise-a\.example \{\n {4}server unix:\S+;\n {4}keepalive 5;\n\}/m);
  t.match(text, 'fastcgi_keep_conn on;\n');
  t.match(text, 'fastcgi_pass guise-a.example;');
  t.match(checkNginx(web, text), { status: 0 });
  t.notMatch(nginxConfiguration(web.settings, site, { ...complete, bare: true }), /upstream|keep_conn/);
  t.notMatch(
    nginxConfiguration(web.settings, { ...site, dispatch: 'router' }, complete),
    /upstream|keep_conn/,
  );
});

t.test('paths come out right, or are refused', async (t) => {
  const web = makeWeb(t);
  const odd = web.make(oddRoot.replaceAll('$', '\\'));
  const text = nginxConfiguration(web.settings, odd, complete);
  t.match(checkNginx(web, text), { status: 0 });
  t.ok(text.includes(`root "${odd.root.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}";`));
  t.throws(() => nginxConfiguration(web.settings, web.make('a$b'), complete), {
    code: 'SITE_INVALID',
    message: /nginx's configuration cannot hold the root of a.example: "\$" has a meaning/,
  });
  const settings = { ...web.settings, paths: { ...web.settings.paths, run: '/run/a:b' } };
  t.throws(() => nginxConfiguration(settings, odd, complete), { code: 'SITE_INVALID', message: /socket/ });
});
