import { readFileSync } from 'node:fs';
import t from 'tap';
import { groupByName, groupName, userByName, userByUid } from '../../src/os/identity.js';
import { run } from './running.js';

/** The lines of a file such as /etc/passwd, in fields; only those of the system itself, which do not come and go. */
function entries(file: string): string[][] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .map((line) => line.split(':'))
    .filter((fields) => fields.length > 3 && Number(fields[2]) < 100);
}

t.test('users of the file are found by name and by uid', (t) => {
  const users = entries('/etc/passwd');
  t.ok(users.length > 5);
  for (const [name = '', , uid, gid, , home, shell] of users) {
    const user = userByName(name);
    t.match(user, { name, uid: Number(uid), gid: Number(gid), home, shell });
    t.same(userByUid(Number(uid)), user);
  }
  t.end();
});

t.test('groups are the primary one and all that list the user', async (t) => {
  const name = 'guise-t-os';
  const options = ['--system', '--no-create-home', '--gid', 'mail', '--groups', 'games,users'];
  const { death, output } = await run({ file: '/usr/sbin/useradd', args: ['useradd', ...options, name] });
  t.equal(death.exitCode, 0, output);
  const user = userByName(name);
  await run({ file: '/usr/sbin/userdel', args: ['userdel', name] });
  const gids = ['mail', 'games', 'users'].map((group) => groupByName(group)?.gid);
  t.equal(user?.gid, gids[0]);
  t.same(new Set(user?.groups), new Set(gids));
  t.equal(userByName(name), undefined, 'removed again');
});

t.test('groups by name and by gid', (t) => {
  for (const [name = '', , gid] of entries('/etc/group')) {
    t.same(groupByName(name), { name, gid: Number(gid) });
    t.equal(groupName(Number(gid)), name);
  }
  t.end();
});

t.test('what does not exist is undefined', (t) => {
  for (const name of ['no-such-user', '', 'root\0x', '0', 'a'.repeat(100_000), 'root:x']) {
    t.equal(userByName(name), undefined);
    t.equal(groupByName(name), undefined);
  }
  for (const id of [61999, -1, 2 ** 32, 1.5, Number.NaN]) {
    t.equal(userByUid(id), undefined);
    t.equal(groupName(id), undefined);
  }
  t.end();
});
