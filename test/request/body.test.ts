import t from 'tap';
import { BodyIntake } from '../../src/request/body.js';
import { defaultReadLimits } from '../../src/request/limits.js';

function intake(declared: number): BodyIntake {
  const body = new BodyIntake({ ...defaultReadLimits, maxBodyBytes: 100 }, '/nonexistent');
  body.open(declared);
  return body;
}

t.test('the limit is for what is announced and for what comes', async (t) => {
  t.equal(intake(100).exceeds(0), false);
  t.equal(intake(101).exceeds(0), true);
  const body = intake(-1);
  t.equal(body.exceeds(100), false);
  t.equal(body.exceeds(101), true);
  body.add(Buffer.alloc(60), 0, 60);
  t.equal(body.exceeds(40), false);
  t.equal(body.exceeds(41), true);
  body.limit = 200;
  t.equal(body.exceeds(140), false);
});

t.test('less than announced is no body; as much or more is one', async (t) => {
  for (const [declared, sent, whole] of [
    [5, 4, false],
    [5, 5, true],
    [5, 6, true],
    [-1, 3, true],
    [0, 0, true],
    [1, 0, false],
  ] as const) {
    const body = intake(declared);
    if (sent > 0) body.add(Buffer.alloc(sent, 'x'), 0, sent);
    const finished = body.finish();
    if (whole) t.same(finished, { kind: 'memory', buffer: Buffer.alloc(sent, 'x'), length: sent });
    else t.equal(finished, undefined, `${sent} of ${declared}`);
  }
});

t.test('closed, it has forgotten its request', async (t) => {
  const body = intake(50);
  body.add(Buffer.alloc(20), 0, 20);
  body.close();
  t.match(body.finish(), { kind: 'memory', length: 0 });
});
