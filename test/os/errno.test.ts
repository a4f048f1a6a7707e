import { constants } from 'node:os';
import t from 'tap';
import { errno, errnoName } from '../../src/os/errno.js';

t.test('the numbers are those of this machine', (t) => {
  const known: Record<string, number> = constants.errno;
  for (const [name, number] of Object.entries(errno)) {
    if (name in known) t.equal(number, known[name], name);
    t.equal(errnoName(number), name);
    t.equal(errnoName(-number), name);
  }
  t.equal(errnoName(4095), 'errno 4095');
  t.end();
});
