import t from 'tap';
import { StatusQuestion } from '../../src/master/status-question.js';

t.test('one question at a time; who asks meanwhile waits for the next', async (t) => {
  let put = 0;
  const question = new StatusQuestion(() => put++);
  question.answered(9);
  const first = question.ask();
  const second = question.ask();
  const third = question.ask();
  t.equal(put, 1);
  question.answered(3);
  t.equal(await first, 3);
  t.equal(put, 2, 'it is put again for those who came later');
  t.equal(question.waiting, 2);
  question.answered(4);
  t.same(await Promise.all([second, third]), [4, 4]);
  t.equal(question.waiting, 0);
  t.equal(put, 2, 'nobody is left to ask for');
});

t.test('a router that ends answers nobody', async (t) => {
  let put = 0;
  const question = new StatusQuestion(() => put++);
  const answers = [question.ask(), question.ask()];
  question.inVain();
  t.same(await Promise.all(answers), [undefined, undefined]);
  const next = question.ask();
  t.equal(put, 2, 'the next router is asked afresh');
  question.answered(1);
  t.equal(await next, 1);
});

t.test('a router that never answers: nobody waits for long, and nothing piles up', async (t) => {
  let put = 0;
  const question = new StatusQuestion(() => put++, 5);
  const many = (): Promise<(number | undefined)[]> =>
    Promise.all(Array.from({ length: 1000 }, () => question.ask()));
  t.ok((await many()).every((answer) => answer === undefined));
  t.equal(question.waiting, 0);
  t.ok((await many()).every((answer) => answer === undefined));
  t.equal(put, 1, 'it is not told the same thing again and again');
  const late = question.ask();
  question.answered(5);
  t.equal(put, 2, 'until it says something: then those who still wait are asked for');
  question.answered(6);
  t.equal(await late, 6);
});
