/** The page about refusals says what the tables say, of every reason. */

import t from 'tap';
import { fillIn, refusalTexts } from '../../src/router/refusal-texts.js';
import { refusalKinds, scriptReason } from '../../src/router/refusals.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';

const headings = ['Reading the request', 'Which site', 'A worker', 'Running', 'The script'];

t.test('every reason is on the page, with its status and its words', async (t) => {
  const page = readReference('refusals.md');
  const rows = headings.flatMap((heading) => rowsUnder(page, heading)).map((row) => row.map(plainCell));
  t.same(
    rows,
    Object.entries(refusalKinds).map(([reason, { status }]) => {
      const { meaning, expected, remedy } = refusalTexts[reason as keyof typeof refusalKinds];
      return [reason, String(status), meaning, expected, remedy];
    }),
  );
});

t.test('the page has no heading with reasons that this test does not read', async (t) => {
  const lines = readReference('refusals.md').split('\n');
  t.equal(lines.filter((line) => line.startsWith('| `')).length, Object.keys(refusalKinds).length);
});

t.test('the numbers of the script check end where its reasons do', async (t) => {
  const names = Object.keys(refusalKinds).filter((reason) => reason.startsWith('script-'));
  t.same(
    names.map((_, index) => scriptReason(index + 1)),
    names,
  );
  t.equal(scriptReason(names.length + 1), 'worker-died');
  t.equal(scriptReason(0), 'worker-died');
});

t.test('what is known is put in, and nothing else is touched', async (t) => {
  t.equal(fillIn('chown USER FILE', { USER: 'alice', FILE: '/a b' }), 'chown alice /a b');
  t.equal(fillIn('SCRIPT_FILENAME in DIRECTORY', { FILE: 'x' }), 'SCRIPT_FILENAME in DIRECTORY');
});
