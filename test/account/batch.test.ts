import t from 'tap';
import {
  type Batch,
  batchMaxBytes,
  batchMaxLineBytes,
  batchMaxRows,
  decodeBatch,
  encodeBatch,
} from '../../src/account/batch.js';
import { noUsage, UsageTable } from '../../src/account/usage.js';

const usage = { ...noUsage(), requests: 3, bytesIn: 2 ** 40, maxRssKb: 9000 };
const batch: Batch = {
  epoch: 'ab01',
  sequence: 7,
  usage: [
    { day: '2026-11-24', site: 'a.test', usage },
    { day: '2026-11-24', site: 'a.test+Bob_$', usage },
    { day: '2026-11-24', site: '~1~alice', usage },
    { day: '2026-11-24', site: '-', usage },
  ],
  lines: [
    { site: 1, kind: 1, json: '{"uri":"/ü"}' },
    { site: 4_294_967_295, kind: 2, json: '{}' },
  ],
};

t.test('what goes in comes out', async (t) => {
  t.same(decodeBatch(encodeBatch(batch)), batch);
  const empty = { ...batch, usage: [], lines: [] };
  t.same(decodeBatch(encodeBatch(empty)), empty);
});

t.test('anything else is no batch', async (t) => {
  const text = encodeBatch(batch);
  const [head = '', ...lines] = text.split('\n');
  const wrong = [
    '',
    'null',
    '[]',
    '{}',
    head.replace('"ab01"', '"../x"'),
    head.replace('"ab01"', '1'),
    head.replace(':7', ':-7'),
    head.replace(':7', ':7.5'),
    head.replace('2026-11-24', '../../../x'),
    head.replace('a.test', 'a test'),
    head.replace('a.test', 'x'.repeat(256)),
    head.replace(',3,', ',-3,'),
    head.replace(',3,', ',"3",'),
    head.replace(',3,', ',3,3,'),
    `${text}\n`,
    ...['1 3 {}', 'x 1 {}', '1 1 []', '1 1 {"a":"\t"}', '1 1 {"a":"\r"}', '99999999999 1 {}'].map((line) =>
      [head, ...lines, line].join('\n'),
    ),
  ];
  for (const one of wrong) t.equal(decodeBatch(one), undefined, JSON.stringify(one).slice(0, 80));
});

t.test('the largest one fits into a message', async (t) => {
  const table = new UsageTable();
  const most = Object.fromEntries(
    Object.keys(noUsage()).map((name) => [name, Number.MAX_SAFE_INTEGER / 2 ** 10]),
  );
  for (let n = 0; n < batchMaxRows + 5; n++)
    table.add('2026-11-24', `${n}`.padEnd(204, 'x'), { ...noUsage(), ...most });
  const rows = table.take(batchMaxRows);
  t.equal(rows.length, batchMaxRows);
  t.equal(table.take(batchMaxRows).length, 5, 'the others wait');
  t.ok(table.isEmpty);
  const head = encodeBatch({ ...batch, usage: rows, lines: [] });
  t.ok(head.length + batchMaxLineBytes < batchMaxBytes, `${head.length} bytes of sums`);
});
