import t from 'tap';
import { BeginContent } from '../../src/request/begin.js';

t.test('gathered byte by byte', async (t) => {
  const begin = new BeginContent();
  const content = Buffer.of(0x01, 0x02, 0x01, 0, 0, 0, 0, 0);
  for (let at = 0; at < 8; at += 1) begin.add(content, at, at + 1);
  t.equal(begin.role, 0x0102);
  t.equal(begin.keep, true);
});

t.test('flags that nobody knows do not keep a connection', async (t) => {
  const begin = new BeginContent();
  begin.add(Buffer.of(0, 1, 0xfe, 0, 0, 0, 0, 0), 0, 8);
  t.equal(begin.keep, false);
});

t.test('cleared, it says nothing of the record before', async (t) => {
  const begin = new BeginContent();
  begin.add(Buffer.of(0, 2, 1, 0, 0, 0, 0, 0), 0, 8);
  begin.clear();
  t.equal(begin.keep, false);
  begin.add(Buffer.of(0, 1, 0, 0, 0, 0, 0, 0), 0, 8);
  t.equal(begin.role, 1);
});
