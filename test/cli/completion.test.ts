/** What a tab offers, asked of the shells themselves. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/os/addon.js';
import { succeed } from '../../src/quickstart/command.js';
import { makeInstance } from '../site/instance.js';
import { run } from './run.js';

const peers = `${packageRoot()}/.cache/debian`;

/** Given a script and a line, everything that is offered for its last word. */
type Shell = (file: string, line: string) => Promise<string[]>;

const listed = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .sort();

const bash: Shell = async (file, line) => {
  const script = `source ${file}; COMP_WORDS=(); read -ra COMP_WORDS <<< '${line}'
    [[ '${line}' == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _guise; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return listed(await succeed('bash', ['--norc', '-c', script]));
};

/** With the two functions of its completion system that offer something printed instead. */
const zsh: Shell = async (file, line) => {
  const words = line.split(' ').map((word) => `'${word}'`);
  const script = `compdef() { }
    _describe() { print -l -- \${\${(P)2}%%:*} }
    compadd() { shift; print -l -- "$@" }
    _files() { print FILES }
    words=(${words.join(' ')}); CURRENT=${words.length}
    source ${file}; _guise`;
  const modules = `${peers}/usr/lib/x86_64-linux-gnu/zsh`;
  const text = await succeed(`${peers}/bin/zsh`, ['-f', '-c', `module_path=(${modules}/*(N)); ${script}`]);
  const last = line.split(' ').at(-1) ?? '';
  return listed(text).filter((word) => word.startsWith(last));
};

const fish: Shell = async (file, line) => {
  const command = `source ${file}; complete -C '${line}'`;
  const library = `LD_LIBRARY_PATH=${peers}/usr/lib/x86_64-linux-gnu`;
  const home = `HOME=${dirname(file)}`;
  const text = await succeed('env', [library, home, `${peers}/usr/bin/fish`, '-N', '-c', command]);
  return listed(text).map((choice) => choice.split('\t')[0] ?? '');
};

async function scripts(t: Test, shell: string): Promise<string> {
  const instance = makeInstance(t);
  for (const name of ['a.example.toml', 'ab.example.toml', 'note.txt']) instance.site(name, '');
  mkdirSync(`${instance.directory}/home`);
  const { code, out } = await run('completion', shell, '-c', instance.configFile);
  t.equal(code, 0);
  const file = `${instance.directory}/home/completion.${shell}`;
  writeFileSync(file, out);
  return file;
}

for (const [name, ask] of Object.entries({ bash, zsh, fish })) {
  t.test(name, async (t) => {
    const file = await scripts(t, name);
    const offered = (line: string): Promise<string[]> => ask(file, line);
    t.ok((await offered('guise ')).includes('status'));
    t.same(await offered('guise sta'), ['status']);
    t.same(await offered('guise si'), ['site']);
    t.same(await offered('guise site '), [
      'add',
      'disable',
      'enable',
      'list',
      'remove',
      'restart',
      'set',
      'show',
    ]);
    t.same(await offered('guise site show '), ['a.example', 'ab.example']);
    t.same(await offered('guise site show ab'), ['ab.example']);
    t.same(await offered('guise status a'), ['a.example', 'ab.example']);
    t.same(await offered('guise explain --site ab'), ['ab.example']);
    t.same(await offered('guise site set --ro'), ['--rotate-key']);
    t.ok((await offered('guise status --')).includes('--config'), 'what every command has');
    t.notOk((await offered('guise site add ')).includes('a.example'), 'a new name is not offered');
  });
}

t.test('another shell', async (t) => {
  const instance = makeInstance(t);
  t.match(await run('completion', 'tcsh', '-c', instance.configFile), { code: 2, err: /bash, zsh, fish/ });
});
