/** `guise top` on a real terminal: it shows what the sites do, follows keys and size, and leaves the terminal as it was. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/os/addon.js';
import { journey } from '../harness/world.js';

type Step = ['wait' | 'type', string] | ['size', number, number] | ['signal', number];

interface Seen {
  readonly met: readonly boolean[];
  readonly exit: number | null;
  readonly restored: boolean;
  readonly output: string;
}

const driver = fileURLToPath(new URL('test/harness/on-a-terminal.py', `file://${packageRoot()}/`));
const enters = '\u001b[?1049h';
const leaves = '\u001b[?25h\u001b[?1049l';

await journey(async (t, world) => {
  const { guise } = world;
  await guise.addSite({ name: 'seen.test', user: 'alice' });
  await guise.addSite({ name: 'other.test', user: 'bob' });
  const top = (steps: readonly Step[], ...args: string[]): Seen => {
    // Through env(1), for tap adds to the environment of every child.
    const clean = ['env', '-i', `PATH=${process.env.PATH ?? ''}`, 'TERM=xterm', process.execPath];
    const command = [
      ...clean,
      `${packageRoot()}/bin/guise`,
      'top',
      '--config',
      guise.instance.config,
      ...args,
    ];
    const out = execFileSync('python3', [driver, JSON.stringify(steps), ...command], { encoding: 'utf8' });
    return JSON.parse(out) as Seen;
  };

  await t.test('it shows all sites, follows keys and the size of the screen, and ends with q', async (t) => {
    const seen = top(
      [
        ['wait', 'seen.test'],
        ['type', '/other\r'],
        ['wait', 'only "other"'],
        ['type', '\u001bn'],
        ['wait', 'SITE*'],
        ['size', 5, 40],
        ['wait', '1 more below'],
        ['type', 'q'],
      ],
      '--interval',
      '0.3',
    );
    t.same(seen.met, [true, true, true, true]);
    t.equal(seen.exit, 0);
    t.ok(seen.restored, 'the settings of the terminal are as before');
    t.ok(seen.output.includes(enters));
    t.ok(seen.output.trimEnd().endsWith(leaves), 'and so is its screen');
  });

  await t.test('whatever ends it, the terminal is as before', async (t) => {
    for (const [step, exit] of [
      [['signal', 15], 143],
      [['signal', 1], 129],
      [['type', '\u0003'], 0],
    ] as const) {
      const seen = top([['wait', 'seen.test'], [...step]], '--interval', '0.3');
      t.equal(seen.exit, exit, String(step));
      t.ok(seen.restored, 'settings');
      t.ok(seen.output.trimEnd().endsWith(leaves), 'screen');
    }
  });

  await t.test('without a terminal it is one table, or JSON', async (t) => {
    const table = await guise.says('top', '--once', '--interval', '0.2', '--sort', 'name');
    t.match(table, /SITE\*.*\nother\.test .*\nseen\.test /);
    t.notMatch(table, '\u001b');
    const rows = JSON.parse(await guise.says('top', '--json', '--interval', '0.2')) as { name: string }[];
    t.same(rows.map(({ name }) => name).sort(), ['other.test', 'seen.test']);
    const { code } = await guise.run('top', '--once', '--interval', 'soon');
    t.equal(code, 2);
  });

  await t.test('without a daemon it says so, and leaves the terminal alone', async (t) => {
    await guise.stop();
    const seen = top([]);
    t.equal(seen.exit, 3);
    t.ok(seen.restored);
    t.match(seen.output, /not running|no daemon|guise daemon/i);
  });
});
