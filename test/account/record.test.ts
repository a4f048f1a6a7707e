/** Lines of the ledger: their fields are on the page, and nothing in them can end a line or speak to a terminal. */

import t from 'tap';
import { noUse, type Outcome } from '../../src/account/outcome.js';
import {
  escaped,
  recordFields,
  recordLine,
  slowFields,
  slowLine,
  textMax,
} from '../../src/account/record.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';

const outcome: Outcome = {
  ...noUse,
  id: '0123456789ab',
  site: 'a.test',
  uid: 1000,
  status: 502,
  reason: 'killed',
  endedBy: 'operator',
  byUid: 0,
  queueMs: 1.23456,
  cpuUserUs: 1500,
  isDirect: true,
};
const request = {
  method: 'GET',
  serverName: 'a.test',
  uri: '/x',
  scriptFilename: '/srv/x.php',
  remoteAddr: '::1',
};

t.test('every field is on the page, in its order', async (t) => {
  const line = JSON.parse(recordLine(0, outcome, request, 3)) as Record<string, unknown>;
  t.same(Object.keys(line), recordFields);
  t.match(line, {
    time: '1970-01-01T00:00:00.000Z',
    queueMs: 1.235,
    userMs: 1.5,
    byUid: 0,
    lane: 'direct',
    leftOut: 3,
  });
  const rows = rowsUnder(readReference('ledger.md'), 'Fields of a line');
  t.same(
    rows.map(([name]) => plainCell(name)),
    recordFields,
  );
  for (const [name = '', meaning = ''] of rows) t.ok(meaning.length > 10, name);
  for (const [name, most] of Object.entries(textMax)) {
    const meaning = rows.find(([field]) => plainCell(field) === name)?.[1];
    t.match(meaning, `at most ${most} characters`);
  }
});

t.test('what nobody wants to read is left out', async (t) => {
  const served: Outcome = {
    ...noUse,
    id: '1',
    site: 'a.test',
    uid: 1,
    status: 200,
    reason: '',
    endedBy: 'script',
  };
  const line = JSON.parse(recordLine(0, served, undefined, 0)) as Record<string, unknown>;
  for (const name of ['byUid', 'reason', 'leftOut', 'uri']) t.notOk(name in line, name);
});

t.test('a visitor’s text is cut, and stays a text', async (t) => {
  const nasty = `"}\r\n{"forged":1}\u0000\u001b[2J\u007f\u0085\u009b\u2028\u2029\u202e\u2066\ufeff\ud800`;
  const text = nasty + 'x'.repeat(100_000);
  const line = recordLine(
    0,
    outcome,
    { method: text, serverName: text, uri: text, scriptFilename: text, remoteAddr: text },
    0,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  t.notMatch(line, /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\u2066\ufeff]/);
  t.ok(Buffer.byteLength(line) < 25_000);
  const read = JSON.parse(line) as Record<string, string>;
  for (const [name, most] of Object.entries(textMax)) t.equal(read[name], text.slice(0, most), name);
});

t.test('an escape keeps its meaning', async (t) => {
  t.equal(escaped('{"a":"\u009b"}'), '{"a":"\\u009b"}');
});

t.test('the fields of the slow log are on the page too', async (t) => {
  const facts = {
    id: '0123456789ab',
    site: 'a.test',
    uid: 1,
    runMs: 10_000,
    pid: 7,
    process: { state: 'S' },
    stack: ['sleep()'],
    noStack: 'busy',
  };
  const line = JSON.parse(slowLine(0, facts, request, 1)) as Record<string, unknown>;
  t.same(Object.keys(line), slowFields);
  const rows = rowsUnder(readReference('ledger.md'), 'Fields of the slow log');
  t.same(
    rows.map(([name]) => plainCell(name)),
    slowFields.filter((name) => !(recordFields as readonly string[]).includes(name)),
  );
});
