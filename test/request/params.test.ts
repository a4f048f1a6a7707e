import t from 'tap';
import { ParamsBlock } from '../../src/request/params.js';

t.test('one record is one exact copy', async (t) => {
  const block = new ParamsBlock();
  const chunk = Buffer.from('..abc..');
  block.append(chunk, 2, 5, 0);
  chunk.fill(0);
  t.equal(block.length, 3);
  t.same(block.take(), Buffer.from('abc'));
});

t.test('many pieces are one block', async (t) => {
  const block = new ParamsBlock();
  const whole = Buffer.from('0123456789'.repeat(3000));
  for (let at = 0; at < whole.length; at += 7) {
    const end = Math.min(at + 7, whole.length);
    block.append(whole, at, end, whole.length - end);
  }
  t.equal(block.length, whole.length);
  t.same(block.take(), whole);
});

t.test('taken, it is empty', async (t) => {
  const block = new ParamsBlock();
  t.equal(block.take().length, 0);
  block.append(Buffer.from('abc'), 0, 3, 0);
  block.take();
  t.equal(block.length, 0);
  t.equal(block.take().length, 0);
});

t.test('an announced length sets little aside', async (t) => {
  const block = new ParamsBlock();
  block.append(Buffer.from('a'), 0, 1, 65_534);
  t.ok(block.take().buffer.byteLength <= 8192);
});
