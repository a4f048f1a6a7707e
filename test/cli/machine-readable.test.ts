/** For programs and for terminals: every command prints JSON, or the page says why not; what takes long says what it does. */

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import t from 'tap';
import { buildProgram } from '../../src/cli/program.js';
import { showProgress } from '../../src/cli/progress.js';
import { packageRoot } from '../../src/os/addon.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';

/** What has a form of its own. */
const withoutJson = ['daemon', 'metrics', 'run', 'completion', 'manual'];
/** What waits for others or works through many files, and where that is written. */
const long = {
  stop: 'stop',
  doctor: 'doctor',
  check: 'check',
  'import fpm': 'import',
  'import apache': 'import',
};

function leaves(command: Command, before: string[] = []): { name: string; command: Command }[] {
  return command.commands.flatMap((inner) => {
    const words = [...before, inner.name()];
    return inner.commands.length > 0 ? leaves(inner, words) : [{ name: words.join(' '), command: inner }];
  });
}

const commands = leaves(buildProgram({ out: () => undefined, err: () => undefined }).command);
const page = readReference('cli.md');

t.test('every command has --json, and the page says what it prints', async (t) => {
  const rows = rowsUnder(page, 'What `--json` prints').map(([name = '']) => plainCell(name));
  const having = commands.filter(({ command }) => command.options.some(({ long }) => long === '--json'));
  t.same(
    commands.filter((one) => !having.includes(one)).map(({ name }) => name),
    withoutJson,
    'but for those with a form of their own',
  );
  t.same(rows.toSorted(), having.map(({ name }) => `guise ${name}`).toSorted());
  const [, reasons = ''] = /\n(`guise metrics` prints[\s\S]*?)\n\n/.exec(page) ?? [];
  for (const name of withoutJson) t.match(reasons, `\`guise ${name}\``);
});

t.test('long work shows what it is doing', async (t) => {
  for (const [name, file] of Object.entries(long)) {
    t.ok(
      commands.some((one) => one.name === name),
      name,
    );
    const source = readFileSync(`${packageRoot()}/src/cli/${file}.ts`, 'utf8');
    t.match(source, /\bshowProgress\(\)/, `${name} says what it is doing`);
    t.match(source, /\bdone\b/, `${name} takes that away again`);
  }
});

t.test('on a terminal, and nowhere else', async (t) => {
  const written: string[] = [];
  const stream = (isTTY: boolean) =>
    ({ isTTY, columns: 20, write: (text: string) => written.push(text) }) as unknown as NodeJS.WriteStream;
  const quiet = showProgress(stream(false));
  quiet.progress('working');
  quiet.done();
  t.same(written, []);
  const shown = showProgress(stream(true));
  shown.progress('a long line that is cut');
  shown.done();
  t.same(written, ['\r\x1b[Ka long line that is', '\r\x1b[K']);
});
