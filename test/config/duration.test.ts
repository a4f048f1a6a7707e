import fc from 'fast-check';
import t from 'tap';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/duration.js';

t.test('durations', async (t) => {
  const good: [string | number, number][] = [
    ['30s', 30_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1 d', 86_400_000],
    [0, 0],
    [2.5, 2500],
  ];
  for (const [text, expected] of good) t.equal(parseDuration(text), expected, JSON.stringify(text));
  for (const text of [
    '',
    '30',
    's',
    '-1s',
    '1e3s',
    '30 seconds',
    '1h30m',
    '25d',
    -1,
    Number.NaN,
    2_147_484,
    'Infinitys',
  ]) {
    t.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});

t.test('sizes', async (t) => {
  const good: [string | number, number][] = [
    ['8M', 8 * 1024 ** 2],
    ['64k', 65_536],
    ['1GB', 1024 ** 3],
    ['100', 100],
    [0, 0],
    [4096, 4096],
  ];
  for (const [text, expected] of good) t.equal(parseSize(text), expected, JSON.stringify(text));
  for (const text of ['', 'M', '1.5M', '-1', '8MiB', '1T', 1.5, -1, '999999999999999G']) {
    t.equal(parseSize(text), undefined, JSON.stringify(text));
  }
});

t.test('what is formatted reads back as the same', async (t) => {
  t.doesNotThrow(() => {
    fc.assert(fc.property(fc.nat(2_147_483_647), (ms) => parseDuration(formatDuration(ms)) === ms));
    fc.assert(fc.property(fc.nat(), (bytes) => parseSize(formatSize(bytes)) === bytes));
  });
});
