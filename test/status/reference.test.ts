/** The reference page of the status says what the tables of the application say. */

import t from 'tap';
import { entries } from '../../src/status/answer.js';
import { poolFields, processFields } from '../../src/status/fpm-fields.js';
import { formats } from '../../src/status/request.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';
import { daemonReport, siteReport } from './report.js';

const page = readReference('status.md');

t.test('every form, in the order in which they win, with its content type', async (t) => {
  const rows = rowsUnder(page, 'Forms').map(([query, type]) => [plainCell(query), plainCell(type)]);
  const expected = [];
  for (const format of [...formats, 'text'] as const) {
    const entry = entries.find((one) => one.rest === '' && (one.format ?? format) === format);
    const view = { report: daemonReport(siteReport('a.test')), nowMs: 0, full: false };
    expected.push([format === 'text' ? 'none of them' : format, (await entry?.render(view))?.contentType]);
  }
  t.same(rows, expected);
});

t.test('every field, in its order', async (t) => {
  for (const [heading, fields] of [
    ['Fields of a pool', poolFields],
    ['Fields of a process', processFields],
  ] as const) {
    t.same(
      rowsUnder(page, heading).map(([name]) => plainCell(name)),
      fields.map(({ name }) => name),
    );
  }
});
