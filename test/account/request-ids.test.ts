import t from 'tap';
import { RequestIds } from '../../src/account/request-ids.js';

t.test('twelve digits, never twice, in no order that tells a count', async (t) => {
  const ids = new RequestIds();
  const seen = new Set<string>();
  for (let n = 0; n < 100_000; n++) seen.add(ids.next());
  t.equal(seen.size, 100_000);
  for (const id of [...seen].slice(0, 100)) t.match(id, /^[0-9a-f]{12}$/);
});

t.test('another start has another beginning or another order', async (t) => {
  const [one, other] = [1, 2].map((digit) => new RequestIds(Buffer.alloc(10, digit)));
  t.not(one?.next(), other?.next());
  const factorOfZero = new RequestIds(Buffer.alloc(10));
  t.not(factorOfZero.next(), factorOfZero.next());
});
