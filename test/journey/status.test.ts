/**
 * The status over FastCGI behind real web servers, as `guise web … --status` prints it: what monitoring asks for is
 * answered without a PHP worker, also when every pool is full and after nonsense on the socket.
 */

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { finish } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { askOnce, request } from '../harness/fcgi-client.js';
import { get } from '../harness/http.js';
import { readText } from '../harness/log.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

/** Sends what it reads in base64 to the socket that it is given, and prints what comes back. */
const speaker = `
const socket = require('node:net').connect(process.argv[1]);
socket.on('error', () => process.exit(1)).pipe(process.stdout);
let text = '';
process.stdin.on('data', (chunk) => { text += chunk; }).on('end', () => socket.write(Buffer.from(text, 'base64')));`;

const toml = {
  limits: 'max_workers = 2',
  status: 'idle_timeout = "1s"',
};

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/"process":"status"/, /"site":"guise-status"/);
  const site = await guise.addSite({ name: 'shop.test', user: 'alice', args: ['--set', 'max_workers=2'] });
  const other = await guise.addSite({ name: 'other.test', user: 'bob' });
  const printed = await guise.says('web', 'apache', '--status');
  const servers = [
    await apacheFor(world, [site], { modules: ['authz_host'], before: printed }),
    await nginxFor(world, [site], {
      inside: () => guise.says('web', 'nginx', '--status'),
    }),
  ] as const;
  const [apache, nginx] = servers;
  const socket = `${guise.instance.run}/status.sock`;
  const application = () => guise.processes().filter(({ command }) => command.startsWith('guise: status'));
  const key = readText(`${guise.instance.state}/status.key`).trim();
  const params = { REQUEST_METHOD: 'GET', REQUEST_URI: '/guise-status?json', GUISE_STATUS_KEY: key };

  t.same(application(), [], 'nothing runs before somebody asks');

  for (const server of servers) {
    await t.test(`behind ${server === apache ? 'Apache' : 'nginx'}: every form`, async (t) => {
      const at = server.at(site);
      t.equal((await get(at, '/ping')).text(), 'pong');
      for (const [query, type, pattern] of [
        ['', /^text\/plain; ?charset=UTF-8/i, /^pool: {17}guise$/m],
        ['?json', /^application\/json/, /^\{"pool":"guise","process manager":"ondemand"/],
        ['?xml', /^text\/xml/, /<process-manager>ondemand<\/process-manager>/],
        ['?html', /^text\/html/, /./],
        ['?openmetrics', /^application\/openmetrics-text/, /^phpfpm_up 1$/m],
        ['?full', /^text\/plain/, /^slow requests: +0$/m],
      ] as const) {
        const reply = await get(at, `/guise-status${query}`);
        t.equal(reply.status, 200, query);
        t.match(reply.headers['content-type'], type, query);
        t.match(reply.text(), pattern, query);
        t.match(reply.headers['cache-control'], /no-store/);
      }
      t.equal((await get(at, '/guise-status?site=none.test')).status, 404);
      t.equal((await get(at, '/guise-status', { method: 'HEAD' })).text(), '');
    });
  }

  await t.test('it is the router user, without any power, and alone', async (t) => {
    await get(apache.at(site), '/ping');
    const [found, ...more] = application();
    t.same(more, []);
    t.equal(found?.uid, guise.routerUser.uid);
    const status = readFileSync(`/proc/${found?.pid ?? 0}/status`, 'latin1');
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      t.match(status, new RegExp(`^${name}:\\t0{16}$`, 'm'), name);
    t.match(status, /^NoNewPrivs:\t1$/m);
  });

  await t.test('with every pool full it answers, and says so', async (t) => {
    const running = [0, 1].map(() => get(apache.at(site), '/slow.php?ms=6000'));
    await until(
      'both workers to be busy',
      async () => (await guise.siteStatus(site.name)).workers.busy === 2,
    );
    const waiting = get(apache.at(site), '/whoami.php');
    await until('a third to wait', async () => (await guise.siteStatus(site.name)).queue.length === 1);
    const reply = await get(nginx.at(site), `/guise-status?json&full&site=${site.name}`);
    t.match(reply.json(), {
      pool: site.name,
      'active processes': 2,
      'idle processes': 0,
      'listen queue': 1,
      processes: [{ state: 'Running' }, { state: 'Running' }],
    });
    t.match((await get(nginx.at(site), `/guise-status?json&site=${other.name}`)).json(), {
      'total processes': 0,
    });
    for (const answer of [...(await Promise.all(running)), await waiting]) t.equal(answer.status, 200);
  });

  await t.test('nonsense on the socket costs one process, and the next question is answered', async (t) => {
    for (const bytes of [
      Buffer.from([1, 77, 0, 1, 0, 0, 0, 0]),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(70_000, 0xff),
    ]) {
      const peer = connect(socket).on('error', () => undefined);
      peer.end(bytes);
      await new Promise((resolve) => peer.once('close', resolve));
      const { status, body } = await askOnce(socket, params);
      t.equal(status, 200);
      t.match(body, /^\{"pool":"guise"/);
    }
  });

  await t.test('only the web server may connect, and by it only this machine', async (t) => {
    const bytes = request({ ...params, REQUEST_URI: '/ping' }).toString('base64');
    const speak = async (user: string) =>
      (await finish('runuser', ['-u', user, '--', process.execPath, '-e', speaker, socket], bytes)).stdout;
    t.match(await speak('www-data'), 'pong');
    t.equal(await speak(site.user.name), '');
    t.match(printed, /^ +Require local$/m);
  });

  await t.test('it goes when nobody asks, and when the daemon dies', async (t) => {
    await until('it to end', () => application().length === 0, 30_000);
    t.equal((await get(nginx.at(site), '/ping')).text(), 'pong');
    t.equal(application().length, 1);
    process.kill(guise.pid, 'SIGKILL');
    await until('it to follow the daemon', () => application().length === 0);
    // Whoever takes in orphans on this machine may take its time.
    await until('everything to be gone', () => guise.processes().length === 0, 30_000);
    await guise.start();
    t.equal((await askOnce(socket, params)).status, 200);
  });
}, toml);
