/**
 * A site that is a program of the tenant's own choice: what it leaves behind when it ends, and what it reaches of its
 * neighbours. The program is hostile from its first instruction; guise sees it from outside only.
 */

import { chmodSync } from 'node:fs';
import { until } from '../../src/quickstart/until.js';
import { askOnce } from '../harness/fcgi-client.js';
import { type Site, writeAs } from '../harness/guise.js';
import { journey } from '../harness/world.js';

/** A responder that answers with what its attempts came to. `leave`: daemons stay behind that ignore signals. */
const program = `import os, signal, socket, struct, sys, time

def attempt(act):
    try: return act() or "done"
    except Exception as error: return type(error).__name__ + " " + str(getattr(error, "errno", ""))

def connect(path):
    s = socket.socket(socket.AF_UNIX); s.settimeout(2); s.connect(path); s.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
    return "answered" if s.recv(100) else "closed"

def leave():
    for twice in (False, True):
        if os.fork() == 0:
            os.setsid()
            if twice and os.fork() != 0: os._exit(0)
            for n in (1, 2, 3, 15): signal.signal(n, signal.SIG_IGN)
            listener = socket.socket(fileno=os.dup(0))
            while True:
                try: listener.accept()[0].close()
                except OSError: time.sleep(0.1)

if sys.argv[1] == "leave": leave()
listener = socket.socket(fileno=os.dup(0))
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    lines = []
    for word in sys.argv[2:]:
        what, target = word.split(":", 1)
        if what == "read": lines.append(attempt(lambda: open(target).read()))
        if what == "kill": lines.append(attempt(lambda: os.kill(int(target), 0)))
        if what == "connect": lines.append(attempt(lambda: connect(target)))
        if what == "inherit": lines.append(",".join(str(n) for n in range(200) if attempt(lambda: os.fstat(n)).__class__ != str))
    text = ("Content-Type: text/plain\\r\\n\\r\\n" + "\\n".join(lines)).encode()
    out = struct.pack(">BBHHBx", 1, 6, 1, len(text), 0) + text + struct.pack(">BBHHBx", 1, 6, 1, 0, 0)
    connection.sendall(out + struct.pack(">BBHHBx8x", 1, 3, 1, 8, 0))
    connection.close()
    if sys.argv[1] == "leave": os._exit(0)
`;

await journey(async (t, { guise }) => {
  guise.allowErrors(/site does not start/, /"msg":"worker died"/);
  const { run } = guise.instance;
  const files = { 'evil.py': program };
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob' });
  writeAs(bob, 'settings.txt', 'the password of bob');
  chmodSync(`${bob.root}/settings.txt`, 0o644);
  const add = (name: string, words: readonly string[], more: readonly string[] = []): Promise<Site> => {
    const command = JSON.stringify(['/usr/bin/python3', 'evil.py', ...words]);
    const args = ['--set', `command=${command}`, 'max_workers=1', 'idle_timeout=60s', ...more];
    return guise.addSite({ name, user: 'alice', files, args });
  };
  const ask = async (site: Site): Promise<string> =>
    (await askOnce(`${run}/sites/${site.name}.sock`, { REQUEST_METHOD: 'GET', PATH_INFO: '/' })).body;

  await t.test('what it reaches of its neighbours', async (t) => {
    await guise.says('web', 'apache', '--status'); // makes the key
    const words = [
      `read:${bob.root}/settings.txt`,
      `read:${guise.instance.state}/status.key`,
      `kill:${guise.pid}`,
      `connect:${run}/guise.sock`,
      `connect:${run}/status.sock`,
    ];
    const open = await add('open.test', ['stay', ...words], ['confine=off']);
    const [readable = ''] = (await ask(open)).split('\n');
    t.equal(readable, 'the password of bob', 'without confinement it reads what modes allow');
    const held = await add('held.test', ['stay', ...words]);
    const [settings, key, signal, shared, status] = (await ask(held)).split('\n');
    t.match(settings, /^PermissionError 13/);
    t.match(key, /^PermissionError 13/);
    t.match(signal, /^PermissionError 1/);
    t.match(
      shared,
      /^(PermissionError 13|closed|ConnectionResetError|BrokenPipeError)/,
      'the router asks who it is',
    );
    t.match(status, /^(PermissionError 13|closed|ConnectionResetError|BrokenPipeError)/);
    for (const site of [open, held]) await guise.says('site', 'remove', site.name);
    await until('their ends', () => guise.processesOf(held.user).length === 0);
  });

  await t.test('it inherits nothing', async (t) => {
    const site = await add('inherit.test', ['stay', 'inherit:x']);
    // Its socket and log; a copy of the socket, and the connection.
    t.equal(await ask(site), '0,1,2,3,4');
    await guise.says('site', 'remove', site.name);
    await until('its end', () => guise.processesOf(site.user).length === 0);
  });

  await t.test('daemons that it leaves end with it', async (t) => {
    const site = await add('leave.test', ['leave', 'inherit:x']);
    const ask = (): Promise<unknown> =>
      askOnce(`${run}/sites/${site.name}.sock`, { REQUEST_METHOD: 'GET' }).catch(() => undefined);
    for (let n = 0; n < 3; n++) {
      await ask();
      await until('them to end with it', async () => {
        if (guise.processesOf(site.user).length === 0) return true;
        await ask(); // a daemon may have taken the connection, and the program waits for one
        return false;
      });
    }
    await guise.says('site', 'remove', site.name);
    t.same(guise.processesOf(site.user), []);
  });
});
