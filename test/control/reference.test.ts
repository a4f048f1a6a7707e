import t from 'tap';
import { routes } from '../../src/control/routes.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';

t.test('every route is on the page', async (t) => {
  const rows = rowsUnder(readReference('control-api.md'), 'What can be asked');
  t.same(
    rows.map(([question]) => plainCell(question)),
    routes.map(({ method, path }) => `${method} ${path.replace('*', 'NAME')}`),
  );
  for (const [question, , answer = ''] of rows) t.ok(answer.length > 10, question ?? '');
});

t.test('and who may ask it', async (t) => {
  const rows = rowsUnder(readReference('control-api.md'), 'What can be asked');
  t.same(
    rows.map(([, who]) => who),
    routes.map(({ status, owner }) =>
      ['admin', ...(status ? ['status'] : []), ...(owner === undefined ? [] : ['owner'])].join(' '),
    ),
  );
});
