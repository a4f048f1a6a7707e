/** The table of the threat model says what tests show: every attack has its row, every row its test. */

import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { packageRoot } from '../../src/os/addon.js';

const page = readFileSync(`${packageRoot()}/docs/explanation/threat-model.md`, 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));
const named = rows.flatMap((row) =>
  [...(row.split('|')[2] ?? '').matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name),
);
const files = readdirSync(`${packageRoot()}/test/attack`).filter((name) => name.endsWith('.test.ts'));
const tests = files.map((name) => name.replace('.test.ts', ''));

t.test('every attack has its row, and every row its test', async (t) => {
  t.ok(tests.length > 25, `${tests.length} attacks`);
  t.same([...new Set(named)].sort(), tests.sort());
});

t.test('no cell is empty', async (t) => {
  for (const row of rows) {
    const cells = row.split('|').slice(1, -1);
    t.equal(cells.length, 7, row);
    t.ok(
      cells.every((cell) => cell.trim() !== ''),
      row,
    );
  }
});
