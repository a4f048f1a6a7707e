/** docs/reference/doctor.md says what the table of checks says. */

import t from 'tap';
import { checks } from '../../src/doctor/checks.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';

t.test('every check has its row, in order, and no row is without its check', async (t) => {
  const rows = rowsUnder(readReference('doctor.md'), 'Checks');
  t.same(
    rows.map(([id, severity, title]) => [plainCell(id), severity, title]),
    checks.map(({ id, severity, title }) => [id, severity, title]),
  );
  for (const [id, , , meaning = ''] of rows) t.ok(meaning.length > 10, plainCell(id));
});

t.test('names are told apart', async (t) => {
  t.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
  for (const { id, title } of checks) t.match(`${id} ${title}`, /^[a-z-]+ .*[^.]$/);
});
