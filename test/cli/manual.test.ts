/** Manual pages: what they say is what there is, and roff has nothing to say against them. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Command } from 'commander';
import t from 'tap';
import { text } from '../../src/cli/manual-roff.js';
import { buildProgram } from '../../src/cli/program.js';
import { configSchema } from '../../src/config/schema.js';
import { siteSchema } from '../../src/site/schema.js';

async function page(name: string): Promise<string> {
  const lines: string[] = [];
  const { command } = buildProgram({ out: (line) => lines.push(line), err: (line) => lines.push(line) });
  await command.parseAsync(['manual', name], { from: 'user' });
  return `${lines.join('\n')}\n`;
}

/** As it is read, on one line. */
function read(t: Tap, roff: string): string {
  const run = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-P-cbou', '-rLL=900n', '-rHY=0'], {
    input: roff,
    encoding: 'utf8',
  });
  t.equal(run.status, 0);
  t.equal(run.stderr, '', 'no warning');
  return run.stdout.replaceAll(/-\n\s+/g, '-').replaceAll(/\s+/g, ' ');
}
type Tap = Pick<typeof t, 'equal'>;

function leaves(command: Command): Command[] {
  return command.commands.flatMap((inner) => (inner.commands.length > 0 ? leaves(inner) : [inner]));
}

t.test('guise(8) has every command and every option', async (t) => {
  const words = read(t, await page('guise'));
  const { command } = buildProgram({ out: () => undefined, err: () => undefined });
  for (const leaf of leaves(command)) {
    t.ok(words.includes(leaf.description().replaceAll(/\s+/g, ' ')), leaf.name());
    for (const { flags } of leaf.options) t.ok(words.includes(flags), `${leaf.name()} ${flags}`);
  }
});

t.test('the pages of the files have every key', async (t) => {
  const main = read(t, await page('guise.toml'));
  for (const name of Object.keys(configSchema.shape)) t.ok(main.includes(`[${name.toUpperCase()}]`), name);
  t.ok(main.includes('max_connections a whole number from 16 to 1000000.'));
  const site = read(t, await page('guise-site'));
  for (const name of Object.keys(siteSchema.shape)) t.match(site, new RegExp(`[ []${name}[ \\]]`), name);
});

t.test('what a text holds is never a request to roff', (t) => {
  const words = ".so /etc/passwd\n'br\n\\fB bold -x `y` …";
  const seen = read(t, `.TH X 1\n.SH NAME\nx \\- y\n.SH D\n${text(words)}\n`);
  t.match(seen, /\.so \/etc\/passwd 'br \\fB bold -x `y` …/);
  t.end();
});

t.test('they are installed where man looks', async (t) => {
  const directory = mkdtempSync('/tmp/guise-manual-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  const { command } = buildProgram({ out: () => undefined, err: () => undefined });
  await command.parseAsync(['manual', '--install', directory], { from: 'user' });
  t.same(readdirSync(`${directory}/man8`), ['guise.8']);
  t.same(readdirSync(`${directory}/man5`).sort(), ['guise-site.5', 'guise.toml.5']);
  t.equal(readFileSync(`${directory}/man8/guise.8`, 'utf8').trim(), (await page('guise')).trim());
});
