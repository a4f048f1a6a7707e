/**
 * A site in Python, with nothing but the standard library: a small FastCGI responder as the how-to shows it, behind Apache
 * and nginx, as its user, several at once, and there again after its death.
 */

import { existsSync, readFileSync } from 'node:fs';
import { packageRoot } from '../../src/os/addon.js';
import { until } from '../../src/quickstart/until.js';
import { apacheFor } from '../harness/apache.js';
import { writeAs } from '../harness/guise.js';
import { get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

/** The program of the page, between its marks. */
function programOfThePage(): string {
  const page = readFileSync(`${packageRoot()}/docs/how-to/programs.md`, 'utf8');
  const [, text] = /\nPython \(.*\n\n((?: {4}.*\n|\n)+)/.exec(page) ?? [];
  if (text === undefined) throw new Error('the page has no program in Python');
  return text.replaceAll(/^ {4}/gm, '');
}

const tail = `
import json
def app(params, body):
    path = params["PATH_INFO"]
    if path == "/die": os.kill(os.getpid(), 9)
    while path == "/wait" and not os.path.exists(params["QUERY_STRING"]): time.sleep(0.02)
    return json.dumps({"pid": os.getpid(), "uid": os.getuid(), "groups": os.getgroups(), "params": params, "length": len(body)})
import time
serve(app)
`;

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/site does not start/);
  const program = programOfThePage();
  const own = program.replace(/\nserve\(hello\)\n*$/, tail);
  t.not(own, program, 'the last line of the page starts it');
  const site = await guise.addSite({
    name: 'python.test',
    user: 'alice',
    files: { 'app.py': own, 'hello.py': program },
    args: ['--set', 'command=["/usr/bin/python3", "app.py"]', 'max_workers=3', 'time_limit=30s'],
  });
  const servers = [await apacheFor(world, [site]), await nginxFor(world, [site])] as const;
  const [apache, nginx] = servers;

  for (const server of servers) {
    await t.test(`behind ${server === apache ? 'Apache' : 'nginx'}`, async (t) => {
      const reply = await get(server.at(site), '/shop/a%20b?x=1', {
        method: 'POST',
        body: Buffer.alloc(200_000, 'x'),
      });
      t.match(reply.json(), {
        uid: site.user.uid,
        length: 200_000,
        params: { PATH_INFO: '/shop/a b', QUERY_STRING: 'x=1', REQUEST_METHOD: 'POST' },
      });
      const large = await get(server.at(site), `/?${'y'.repeat(3000)}`);
      t.match(large.text(), 'y'.repeat(3000), 'a value with a length of four bytes');
    });
  }

  await t.test('more processes where one keeps others waiting', async (t) => {
    const asked = Array.from({ length: 6 }, () => get(nginx.at(site), '/wait?go'));
    await until('three', async () => (await guise.siteStatus(site.name)).workers.busy === 3, 30_000);
    writeAs(site, 'go', '');
    const pids = new Set((await Promise.all(asked)).map((reply) => (reply.json() as { pid: number }).pid));
    t.equal(pids.size, 3);
  });

  await t.test('killed, it is there again', async (t) => {
    const before = guise.processesOf(site.user).map(({ pid }) => pid);
    t.not((await get(apache.at(site), '/die')).status, 200);
    for (const pid of before) if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
    await until('their ends', () => !before.some((pid) => existsSync(`/proc/${pid}`)));
    const reply = await get(apache.at(site), '/');
    t.notOk(before.includes((reply.json() as { pid: number }).pid));
  });

  await t.test('the program of the page as it stands there', async (t) => {
    await guise.says('site', 'set', site.name, '--set', 'command=["/usr/bin/python3", "hello.py"]');
    const reply = await get(apache.at(site), '/some/where');
    t.equal(reply.text(), `Hello, I am uid ${site.user.uid}, and you want /some/where\n`);
  });
});
