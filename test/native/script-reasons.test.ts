/** The script check's reasons have the same numbers in C and in the router's table. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { scriptReason } from '../../src/router/refusals.js';
import { nativeSources } from './sources.js';

t.test('each number means the same on both sides', (t) => {
  const header = readFileSync(`${nativeSources()}/script.h`, 'utf8');
  const constants = [...header.matchAll(/\bSCRIPT_([A-Z_]+) = (\d+)/g)]
    .map(([, name = '', number]) => [name.toLowerCase().replaceAll('_', '-'), Number(number)] as const)
    .filter(([name]) => name !== 'ok');
  t.ok(constants.length >= 14);
  for (const [name, number] of constants) t.equal(scriptReason(number), `script-${name}`);
  t.end();
});
