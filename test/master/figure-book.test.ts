import t from 'tap';
import { at, type FigureName, type Figures, figure, noFigures } from '../../src/account/figures.js';
import { FigureBook } from '../../src/master/figure-book.js';

function figures(values: Partial<Record<FigureName, number>>): Figures {
  const row = noFigures();
  for (const [name, value] of Object.entries(values)) row[at[name as FigureName]] = value;
  return row;
}

const none = (): boolean => false;

t.test('no count goes back when the router starts again', (t) => {
  const book = new FigureBook();
  book.open(1, 'a.test', true);
  book.said(1, figures({ served: 10, busy: 2, maxBusy: 3 }));
  book.said(0, figures({ refused: 5 }));
  book.routerDied(none);
  t.match(
    served(book, 1),
    { served: 10, busy: 0, maxBusy: 3 },
    'what went on is over, what was counted stays',
  );
  book.said(1, figures({ served: 1, busy: 1, maxBusy: 1 }));
  t.match(served(book, 1), { served: 11, busy: 1, maxBusy: 3 });
  book.said(0, figures({ refused: 1 }));
  t.equal(figure(book.siteless, 'refused'), 6);
  t.end();
});

t.test('nor when the site changes, with requests still running in its old form', (t) => {
  const book = new FigureBook();
  const lives = book.open(1, 'a.test', true);
  lives.workers = 4;
  book.said(1, figures({ served: 10, busy: 1 }));
  t.equal(book.open(2, 'a.test', true), lives, 'its processes are counted on');
  book.said(2, figures({ served: 3 }));
  t.match(served(book, 1, false), { served: 10, busy: 1 });
  t.match(served(book, 2), { served: 3 });
  book.said(1, figures({ served: 11 }), true);
  t.match(served(book, 2), { served: 14 }, 'the past goes with the present form');
  t.match(served(book, 1, false), { served: 0 });
  book.close(1);
  t.match(served(book, 2), { served: 14 });
  t.end();
});

t.test('the last word of a router may come after the last process has ended', (t) => {
  const book = new FigureBook();
  book.open(1, 'a.test', true);
  book.open(2, 'a.test', true);
  book.said(1, figures({ served: 10 }));
  book.close(1);
  book.said(1, figures({ served: 12 }), true);
  t.match(served(book, 2), { served: 12 });
  book.said(1, figures({ served: 100 }));
  t.match(served(book, 2), { served: 12 }, 'what is closed is closed');
  t.end();
});

t.test('a site of the direct lane is not the router’s to count', (t) => {
  const book = new FigureBook();
  book.open(1, 'a.test', false);
  book.said(1, figures({ served: 10 }));
  book.routerDied(none);
  book.said(1, figures({ served: 12 }));
  t.match(served(book, 1), { served: 12 });
  book.open(2, 'a.test', false);
  book.close(1);
  t.match(served(book, 2), { served: 12 });
  t.end();
});

t.test('what is removed stays in the sum of all', (t) => {
  const book = new FigureBook();
  const lives = book.open(1, 'a.test', true);
  lives.workers = 2;
  lives.died(null, 11);
  book.said(1, figures({ served: 10, idle: 3 }), true);
  book.close(1);
  book.forget('a.test');
  t.match(
    { served: figure(book.gone.figures, 'served'), idle: figure(book.gone.figures, 'idle') },
    { served: 10, idle: 0 },
  );
  t.equal(book.gone.lives.workers, 2);
  t.same([...book.gone.lives.deaths], [['SIGSEGV', 1]]);
  book.open(2, 'a.test', true);
  t.match(served(book, 2), { served: 0 }, 'a new site of the name begins anew');
  t.end();
});

t.test('automatic sites that nobody asks for any more are not remembered for ever', (t) => {
  const book = new FigureBook();
  book.open(1, 'first.test', true);
  for (let id = 2; id < 12_000; id++) {
    book.open(id, `${id}.test`, true);
    book.said(id, figures({ served: 1 }), true);
    book.close(id);
  }
  const kept = figure(book.gone.figures, 'served');
  t.ok(kept > 6900, `${kept} of 11998 are summed up`);
  book.said(1, figures({ served: 7 }));
  t.match(served(book, 1), { served: 7 }, 'one that is there is never among them');
  t.end();
});

t.test('sites that are there are remembered, however many', (t) => {
  const book = new FigureBook();
  for (let id = 1; id <= 6000; id++) book.open(id, `${id}.test`, true);
  book.said(1, figures({ served: 7 }), true);
  book.open(6001, '1.test', true);
  book.close(1);
  t.match(served(book, 6001), { served: 7 });
  t.equal(figure(book.gone.figures, 'served'), 0);
  t.end();
});

function served(book: FigureBook, id: number, isLatest = true): Partial<Record<FigureName, number>> {
  const row = book.of(id, isLatest);
  return { served: figure(row, 'served'), busy: figure(row, 'busy'), maxBusy: figure(row, 'maxBusy') };
}
