/**
 * What runs as root never holds code that reads what a visitor sent, not even through a file in between. ESLint sees
 * direct imports only; here whole chains are followed.
 */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type Read, reachedFrom, readSource, violations } from './import-graph.js';

const src = fileURLToPath(new URL('../../../src', import.meta.url));
const beneath = (...folders: string[]): string[] => folders.map((folder) => `${src}/${folder}`);

t.test('the master reaches no code that handles requests', async (t) => {
  const reached = reachedFrom(`${src}/master/main.ts`, readSource);
  t.same(reached.broken, []);
  t.ok(reached.chains.size > 10, `${reached.chains.size} files and modules were followed`);
  t.same(violations(reached, beneath('fastcgi', 'request', 'router'), []), []);
});

t.test('the master starts programs only through the launcher', async (t) => {
  const reached = reachedFrom(`${src}/master/main.ts`, readSource);
  t.same(violations(reached, [], ['node:child_process', 'child_process', 'node:cluster']), []);
});

t.test('the router reaches no code of the master and starts nothing', async (t) => {
  const reached = reachedFrom(`${src}/router/main.ts`, readSource);
  t.ok(reached.chains.size > 10, `${reached.chains.size} files and modules were followed`);
  t.same(
    violations(reached, beneath('master', 'cli'), ['node:child_process', 'child_process', 'node:cluster']),
    [],
  );
});

t.test('pool/ and fastcgi/ touch nothing outside themselves', async (t) => {
  for (const [folder, forbidden] of [
    ['pool', ['os', 'router', 'master', 'fastcgi', 'request']],
    ['fastcgi', ['os', 'router', 'master', 'pool', 'request', 'site', 'config']],
  ] as const) {
    for (const name of readdirSync(`${src}/${folder}`).filter((entry) => entry.endsWith('.ts'))) {
      const reached = reachedFrom(`${src}/${folder}/${name}`, readSource);
      const outside = ['pino', 'node:fs', 'node:net', 'node:timers', 'node:child_process', 'node:perf_hooks'];
      t.same(violations(reached, beneath(...forbidden), outside), [], `${folder}/${name}`);
    }
  }
});

t.test('the check finds a way round', async (t) => {
  const files: Record<string, string> = {
    '/s/master/main.ts': "import { a } from './a.js';",
    '/s/master/a.ts': "import type { B } from '../site/b.js';",
    '/s/site/b.ts': "export { c } from '../control/c.js';",
    '/s/control/c.ts': "export const c = () => import('../fastcgi/decode.js');",
    '/s/fastcgi/decode.ts': "import { x } from 'node:fs';",
  };
  const read: Read = (path) => files[path];
  const reached = reachedFrom('/s/master/main.ts', read);
  t.same(violations(reached, ['/s/fastcgi'], []), [
    '/s/master/main.ts → /s/master/a.ts → /s/site/b.ts → /s/control/c.ts → /s/fastcgi/decode.ts',
  ]);
  t.equal(violations(reached, [], ['node:fs']).length, 1, 'and a module behind it');
  t.same(violations(reached, ['/s/router', '/s/fast'], []), [], 'folders are compared by component');

  files['/s/control/c.ts'] = "import { gone } from './gone.js';";
  const other = reachedFrom('/s/master/main.ts', read);
  t.same(violations(other, ['/s/fastcgi'], []), []);
  t.same(other.broken, ['/s/control/gone.ts'], 'an import that leads nowhere is told');
});
