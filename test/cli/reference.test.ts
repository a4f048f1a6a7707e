import type { Command } from 'commander';
import t from 'tap';
import { exitCodeOf, exitCodes } from '../../src/cli/exit.js';
import { buildProgram } from '../../src/cli/program.js';
import { plainCell, readReference, rowsUnder } from '../config/reference.js';

/** Every command that does something, with its name as it is typed. */
function leaves(command: Command, before: readonly string[] = []): { words: string; command: Command }[] {
  const words = [...before, command.name()];
  if (command.commands.length > 0) return command.commands.flatMap((inner) => leaves(inner, words));
  const args = command.registeredArguments.map((arg) =>
    arg.required ? `<${arg.name()}>` : `[${arg.name()}]`,
  );
  return [{ words: [...words, ...args].join(' '), command }];
}

const nowhere = { out: () => undefined, err: () => undefined };

t.test('every command and option is on the page', async (t) => {
  const page = readReference('cli.md');
  const commands = leaves(buildProgram(nowhere).command);
  t.ok(commands.length >= 14);
  for (const { words, command } of commands) {
    t.ok(page.includes(`\n## \`${words}\`\n\n${command.description()}\n`), `${words} with its description`);
    const rows = rowsUnder(page, `\`${words}\``).map((row) => row.map(plainCell));
    t.same(
      rows,
      command.options.map((option) => [option.flags, option.description]),
      `${words}: options`,
    );
  }
  const headings = page.split('\n').filter((line) => line.startsWith('## `guise '));
  t.equal(headings.length, commands.length, 'and no command that there is not');
});

t.test('every exit code is on the page', async (t) => {
  const rows = rowsUnder(readReference('exit-codes.md'), 'Exit codes');
  t.same(
    rows.map(([code]) => Number(code)),
    Object.values(exitCodes),
  );
  const errors = new Map(
    rows.map(([code, , codes = '']) => [
      Number(code),
      [...codes.matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]),
    ]),
  );
  for (const [error, code] of Object.entries(exitCodeOf))
    t.ok(errors.get(code)?.includes(error), `${error} stands beside ${code}`);
  const named = [...errors.values()].flat().filter((error) => error !== 'INTERNAL');
  t.same(named.toSorted(), Object.keys(exitCodeOf).toSorted());
});

t.test('every error code is on its page', async (t) => {
  const rows = rowsUnder(readReference('error-codes.md'), 'Error codes');
  t.same(
    rows.map(([code]) => plainCell(code)).toSorted(),
    [...Object.keys(exitCodeOf), 'INTERNAL'].toSorted(),
  );
  for (const [code, meaning = '', remedy = ''] of rows)
    t.ok(meaning.length > 10 && remedy.length > 10, plainCell(code));
});
