/** Sites with a command: what their files may say, and which programs their users can start. */

import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { keysForPhpOnly } from '../../src/site/program.js';
import { readSites } from '../../src/site/registry.js';
import { defaultsSchema, siteSchema } from '../../src/site/schema.js';
import { makeInstance, siteText } from './instance.js';

const withoutKey = (text: string): string => text.replace(/^key = .*\n/m, '');

t.test('a program has a socket of its own and no key', async (t) => {
  const instance = makeInstance(t);
  const text = withoutKey(siteText(instance, 'a.test', 'command = ["/usr/bin/env", "x"]\nconfine = "off"\n'));
  instance.site('a.test.toml', text);
  const { sites, parked } = readSites(instance.config());
  t.same(parked, []);
  t.match(sites[0], {
    command: ['/usr/bin/env', 'x'],
    socket: 'own',
    dispatch: 'program',
    keyRequired: false,
  });
});

t.test('keys that are about PHP are refused, each with its line', async (t) => {
  const known = Object.keys({ ...siteSchema.shape, ...defaultsSchema.shape });
  t.same(
    keysForPhpOnly.filter((key) => !known.includes(key)),
    [],
    'all of them exist',
  );
  const instance = makeInstance(t);
  const more = 'command = ["/usr/bin/env"]\nphp = "/usr/bin/php-cgi"\nmode = "pool"\nsocket = "shared"\n';
  instance.site('a.test.toml', withoutKey(siteText(instance, 'a.test', more)));
  const [parked] = readSites(instance.config()).parked;
  const lines = withoutKey(siteText(instance, 'a.test', more)).split('\n');
  for (const { line, found, remedy } of parked?.problems ?? []) {
    t.ok(lines[line - 1]?.startsWith(`${found} = `), `${found} stands in line ${line}`);
    t.match(remedy, /^remove the line/);
  }
  t.same(parked?.problems.map(({ found }) => found).sort(), ['mode', 'php', 'socket']);
});

t.test('what is said under [defaults] is for sites with PHP', async (t) => {
  const instance = makeInstance(t, '[defaults]\nmode = "per-request"\nspare = 3\n');
  instance.site(
    'a.test.toml',
    withoutKey(siteText(instance, 'a.test', 'command = ["/usr/bin/env"]\nconfine = "off"\n')),
  );
  t.same(readSites(instance.config()).parked, []);
});

t.test('its socket can be opened to one web user', async (t) => {
  const problems = (users: string): string[] => {
    const instance = makeInstance(t);
    writeFileSync(
      instance.configFile,
      readFileSync(instance.configFile, 'utf8').replace('[router]\n', `[router]\nweb_users = [${users}]\n`),
    );
    const text = siteText(instance, 'a.test', 'command = ["/usr/bin/env"]\nconfine = "off"\n');
    instance.site('a.test.toml', withoutKey(text));
    return readSites(instance.config()).parked.flatMap((one) => one.problems.map(({ message }) => message));
  };
  t.same(problems('"www-data", "root"'), []);
  t.match(problems('"www-data", "backup"'), [/one web user only/]);
});

t.test('a program that the user cannot start is a problem, with what mends it', async (t) => {
  const instance = makeInstance(t);
  const directory = `${dirname(instance.config().file)}/programs`;
  mkdirSync(directory, { mode: 0o755 });
  chmodSync(dirname(directory), 0o755);
  const problem = (command: string): string => {
    const text = siteText(instance, 'a.test', `command = ["${command}"]\nconfine = "off"\n`);
    instance.site('a.test.toml', withoutKey(text));
    const { parked } = readSites(instance.config());
    return (parked[0]?.problems ?? []).map(({ message, remedy }) => `${message}: ${remedy}`).join('\n');
  };
  const file = `${directory}/app`;
  const make = (mode: number, uid = 0, gid = 0): void => {
    writeFileSync(file, '#!/bin/sh\n');
    chownSync(file, uid, gid);
    chmodSync(file, mode);
  };
  t.match(problem('/nowhere/app'), /there is no program at \/nowhere\/app/);
  t.match(problem('app'), /absolute path/);
  t.match(problem(directory), /cannot execute/);
  make(0o755);
  t.equal(problem(file), '');
  make(0o644);
  t.match(problem(file), /cannot execute .*chmod 755/);
  make(0o750);
  t.match(problem(file), /cannot execute/, 'root may, the user may not');
  make(0o757);
  t.match(problem(file), /can be changed by somebody/);
  make(0o755, 65_534, 65_534);
  t.match(problem(file), /can be changed by somebody/);
  make(0o755);
  chmodSync(directory, 0o700);
  t.match(problem(file), /cannot reach .*chmod a\+x/);
});
