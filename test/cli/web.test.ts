import t from 'tap';
import { key, makeInstance, otherKey, siteText } from '../site/instance.js';
import { run } from './run.js';

t.test('one site, by name or alias, or all', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example', 'aliases = ["www.a.example"]\n'));
  instance.site('b.example.toml', siteText(instance, 'b.example', '', otherKey));
  instance.site('c.example.toml', 'nonsense');
  const flag = ['-c', instance.configFile];
  for (const server of ['apache', 'nginx', 'lighttpd']) {
    const one = await run('web', server, 'www.a.example', ...flag);
    t.match(one, { code: 0, out: new RegExp(key), err: '' }, server);
    t.notMatch(one.out, otherKey, "and not another site's key");
    const all = await run('web', server, ...flag);
    t.match(
      all,
      { code: 0, out: /a\.example.*b\.example/s, err: /left out c.example, which is parked/ },
      server,
    );
  }
  t.match(await run('web', 'nginx', 'c.example', ...flag), {
    code: 7,
    err: /is parked.*remedy: guise check/s,
  });
  t.match(await run('web', 'nginx', 'none.example', ...flag), { code: 7, err: /there is no site/ });
});

t.test('options', async (t) => {
  const instance = makeInstance(t);
  instance.site('a.example.toml', siteText(instance, 'a.example'));
  const web = (...args: string[]) => run('web', ...args, '-c', instance.configFile);
  t.match(await web('apache', '--form', 'proxypassmatch'), { code: 0, out: /ProxyPassMatch/ });
  t.match(await web('apache', '--form', 'other'), { code: 2, err: /no form "other"/ });
  t.match(await web('nginx', '--listen', '127.0.0.1:8080'), { code: 0, out: /listen 127.0.0.1:8080;/ });
  for (const listen of ['8080', 'x', '1.2.3.4:', '*:80;}', '*:80\nevil', '1.2.3.4:123456']) {
    t.match(
      await web('nginx', '--listen', listen),
      { code: 2, err: /is not ADDRESS:PORT/ },
      JSON.stringify(listen),
    );
  }
  t.notMatch((await web('nginx', '--bare')).out, /^server \{/m);
});

t.test('no sites', async (t) => {
  t.match(await run('web', 'apache', '-c', makeInstance(t).configFile), { code: 7, err: /no sites/ });
});
