import t from 'tap';
import {
  Admission,
  burst,
  mostConnections,
  mostOfOneOwner,
  priceOfChange,
} from '../../src/control/admission.js';

t.test('places of one role are not those of another', async (t) => {
  const admission = new Admission();
  const first = admission.enter('owner', 1001);
  for (let place = 1; place < mostOfOneOwner; place++) t.ok(admission.enter('owner', 1001));
  t.notOk(admission.enter('owner', 1001), 'one owner has his share');
  t.ok(admission.enter('owner', 1002), 'and leaves the others theirs');
  first?.();
  first?.();
  t.ok(admission.enter('owner', 1001), 'a place that was left is free again');
  t.notOk(admission.enter('owner', 1001), 'once, however often it is left');
  for (let uid = 2000; admission.enter('owner', uid) !== undefined; uid++) t.ok(uid < 2100);
  for (let place = 0; place < mostConnections['turned away']; place++)
    t.ok(admission.enter('turned away', place));
  t.notOk(admission.enter('turned away', 5000));
  t.ok(admission.enter('status', 7), 'all owners together take nothing from the status application');
  for (let place = 0; place < mostConnections.admin; place++) t.ok(admission.enter('admin', 0));
  t.notOk(admission.enter('admin', 0));
});

t.test('questions are counted by user and time', async (t) => {
  const admission = new Admission();
  for (let question = 0; question < burst; question++) t.ok(admission.pay(1, 1, 1000));
  t.notOk(admission.maySpeak(1, 1000));
  t.notOk(admission.pay(1, 1, 1400));
  t.ok(admission.maySpeak(1, 1500), 'two a second come back');
  t.ok(admission.pay(2, priceOfChange, 1500), 'another user has his own account');
  t.notOk(admission.pay(1, priceOfChange, 3000), 'a change needs more');
  t.ok(admission.maySpeak(1, 3000), 'and what was refused was not taken');
  t.ok(admission.pay(1, burst, 1_000_000), 'no more than the burst comes together');
  t.notOk(admission.pay(1, 1, 1_000_000));
});

t.test('accounts of thousands of users are not kept for ever', async (t) => {
  const admission = new Admission();
  for (let uid = 0; uid < 5000; uid++) t.ok(admission.pay(uid, burst, uid * 1000), `${uid}`);
  t.notOk(admission.maySpeak(4999, 4_999_000), 'whoever owes something is remembered');
});
