import t from 'tap';
import { errno } from '../../src/os/errno.js';
import type { Identity } from '../../src/os/launch.js';
import { nodeProgram, run, statusFields } from './running.js';

const somebody: Identity = { uid: 61001, gid: 61002, groups: [61004, 61002, 61003] };

interface Shown {
  threads: string[];
  back: string[];
  code?: string;
  step?: string;
  errno?: number;
  message?: string;
}

async function becoming(
  id: object,
  options: { wrapper?: string[]; privileges?: boolean; first?: string } = {},
): Promise<Shown> {
  const { wrapper = [], privileges = false, first = '' } = options;
  const args = [
    ...wrapper,
    process.execPath,
    ...nodeProgram('becoming.child.js', JSON.stringify(id), first).slice(1),
  ];
  const { output } = await run({ file: wrapper[0] ?? process.execPath, args, noNewPrivileges: !privileges });
  return JSON.parse(output) as Shown;
}

t.test('every thread has changed', async (t) => {
  const { threads } = await becoming(somebody);
  t.ok(threads.length > 5, `${threads.length} threads`);
  for (const text of threads) {
    const status = statusFields(text);
    t.equal(status.get('Uid'), '61001\t61001\t61001\t61001');
    t.equal(status.get('Gid'), '61002\t61002\t61002\t61002');
    t.equal(status.get('Groups'), '61002 61003 61004');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      t.equal(status.get(set), '0000000000000000', set);
    t.equal(status.get('NoNewPrivs'), '1');
  }
});

t.test('there is no way back', async (t) => {
  const { back } = await becoming(somebody);
  t.same(back, ['EPERM', 'EPERM', 'EPERM', 'EPERM', 'EPERM']);
});

t.test('an empty list of groups is none', async (t) => {
  const { threads } = await becoming({ ...somebody, groups: [] });
  t.ok(threads.length > 0);
  for (const text of threads) t.equal(statusFields(text).get('Groups'), '');
});

t.test('root is refused', async (t) => {
  for (const change of [{ uid: 0 }, { gid: 0 }, { groups: [0] }]) {
    const expected = { code: 'NOT_PERMITTED', step: 'identity', errno: errno.EPERM };
    t.match(await becoming({ ...somebody, ...change }), expected);
  }
});

t.test('somebody who is not root cannot', async (t) => {
  const shown = await becoming(somebody, { first: 'drop-first' });
  t.match(shown, { code: 'NOT_PERMITTED', step: 'groups', errno: errno.EPERM });
});

t.test('the proof fails for threads that could still gain privileges', async (t) => {
  const shown = await becoming(somebody, { privileges: true });
  t.match(shown, { code: 'NOT_PERMITTED', step: 'threads', message: /NoNewPrivs 0, expected 1/ });
});

t.test('the proof fails for threads that have kept capabilities', async (t) => {
  const wrapper = ['/usr/bin/setpriv', '--securebits', '+no_setuid_fixup'];
  const shown = await becoming(somebody, { wrapper });
  t.match(shown, { code: 'NOT_PERMITTED', step: 'threads', message: /has CapPrm [0-9a-f]*[1-9a-f]/ });
});
