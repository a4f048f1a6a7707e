/** A worker's slate as the router reads it. */

import t from 'tap';
import { Slate, slateBytes } from '../../src/control/slate.js';
import { noteDone, noteStarted } from '../../src/control/worker-messages.js';
import { writeSlate } from '../router/fake-worker.js';

t.test('a job is over when its own number stands there', (t) => {
  const memory = new ArrayBuffer(3 * slateBytes);
  const slate = new Slate(memory, 1);
  t.equal(slate.ended(5), undefined);
  writeSlate(memory, 1, { type: noteDone, sequence: 5, status: 404, bytesOut: 123 });
  t.match(slate.ended(5), { type: noteDone, status: 404, bytesOut: 123 });
  t.equal(slate.ended(6), undefined, 'the next one is not');
  t.equal(new Slate(memory, 0).ended(5), undefined, 'nor is anybody else’s');
  writeSlate(memory, 1, { type: noteDone, sequence: 0xffff_ffff });
  t.ok(slate.ended(0xffff_ffff), 'the largest number there is');
  t.end();
});

t.test('the worker is told that somebody follows', (t) => {
  const memory = new ArrayBuffer(2 * slateBytes);
  new Slate(memory, 1);
  t.equal(Buffer.from(memory).readUInt32LE(132), 0);
  t.equal(Buffer.from(memory).readUInt32LE(slateBytes + 132), 1);
  t.end();
});

t.test('nonsense is no note', (t) => {
  const memory = new ArrayBuffer(slateBytes);
  const slate = new Slate(memory, 0);
  writeSlate(memory, 0, { type: 4711, sequence: 7 });
  t.equal(slate.ended(7), undefined);
  writeSlate(memory, 0, { type: noteDone, sequence: 7 });
  Buffer.from(memory).writeUInt32LE(8, 4);
  t.equal(slate.ended(7), undefined, 'a note about another job');
  t.end();
});

t.test('whether an answer has begun', (t) => {
  const memory = new ArrayBuffer(slateBytes);
  const slate = new Slate(memory, 0);
  writeSlate(memory, 0, { type: noteStarted, sequence: 9 });
  t.ok(slate.hasStarted(9));
  t.notOk(slate.hasStarted(10));
  t.end();
});

t.test('what the router wants to be told', (t) => {
  const memory = new ArrayBuffer(2 * slateBytes);
  new Slate(memory, 1).want(0xffff_fff0);
  t.equal(Buffer.from(memory).readUInt32LE(slateBytes + 128), 0xffff_fff0);
  t.end();
});
