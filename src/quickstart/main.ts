/**
 * `npm run quickstart`: two demo sites under two users behind a private Apache, until Ctrl-C (or, with --once, until
 * they have answered). Leaves nothing behind, whichever way it ends.
 */

import { once } from 'node:events';
import { GuiseError, messageOf } from '../error.js';
import { buildDemo, type Demo, type DemoSite } from './demo.js';
import type { Answer } from './page.js';
import { answerRow, processRows, table } from './report.js';
import { Undo } from './undo.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

async function ask(site: DemoSite): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${site.port}/?json`, {
    signal: AbortSignal.timeout(20_000),
  });
  const body = await response.text();
  if (!response.ok) throw new GuiseError('SETUP_FAILED', `${site.name} answered ${response.status}: ${body}`);
  return JSON.parse(body) as Answer;
}

async function show(demo: Demo): Promise<void> {
  const rows = [['URL', 'site', 'uid', 'groups', 'pid']];
  for (const site of demo.sites) {
    const answer = await ask(site);
    if (answer.user !== site.user) {
      throw new GuiseError(
        'SETUP_FAILED',
        `${site.name} should run as ${site.user}, but runs as ${answer.user}`,
      );
    }
    rows.push(answerRow(`http://127.0.0.1:${site.port}/`, site.name, answer));
  }
  say(['', ...table(rows), ''].join('\n'));
  say(
    table([['pid', 'uid', 'process'], ...processRows(demo.masterPid), ...processRows(demo.apachePid)]).join(
      '\n',
    ),
  );
  say('');
}

/** Answers with the exit code: 0 when the sites answered as they should, also when a person ended it early. */
async function run(undo: Undo): Promise<number> {
  try {
    const demo = await buildDemo(undo, (line) => {
      if (interrupted.signal.aborted) throw new GuiseError('SETUP_FAILED', 'interrupted');
      say(`quickstart: ${line}`);
    });
    await show(demo);
    if (process.argv.includes('--once')) return 0;
    say(`The sites stay up until Ctrl-C. Try: bin/guise status --config ${demo.instance.config}`);
    // A timer keeps the process alive while it waits; a signal ends the wait.
    const alive = setInterval(() => undefined, 2 ** 30);
    if (!interrupted.signal.aborted) await once(interrupted.signal, 'abort');
    clearInterval(alive);
    return 0;
  } catch (thrown) {
    if (interrupted.signal.aborted) return 130;
    process.stderr.write(`quickstart: ${messageOf(thrown)}\n`);
    return 1;
  }
}

const undo = new Undo();
const code = await run(undo);
say('quickstart: cleaning up');
const problems = await undo.run();
for (const problem of problems) process.stderr.write(`quickstart: ${problem}\n`);
process.exitCode = problems.length === 0 ? code : 1;
