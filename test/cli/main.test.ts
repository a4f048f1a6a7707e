import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { GuiseError } from '../../src/error.js';
import { startFakeDaemon } from '../control/daemon.js';
import { makeInstance } from '../site/instance.js';
import { run } from './run.js';

t.test('help teaches, on every level', async (t) => {
  t.match(await run('--help'), { code: 0, out: /Start here:.*guise site add example.com --user alice/s });
  for (const words of [
    ['site'],
    ['site', 'add'],
    ['site', 'set'],
    ['web'],
    ['web', 'apache'],
    ['daemon'],
    ['status'],
    ['check'],
  ]) {
    const { code, out } = await run(...words, '--help');
    t.equal(code, 0, words.join(' '));
    t.match(out, /--config <file>/, `${words.join(' ')} shows --config`);
  }
});

t.test('what nobody can understand is a matter of usage', async (t) => {
  t.match(await run(), { code: 2, err: /Commands:/ });
  t.match(await run('statsu'), { code: 2, err: /Did you mean status/ });
  t.match(await run('status', '--jsno'), { code: 2, err: /Did you mean --json/ });
  t.match(await run('site', 'add', 'x'), { code: 2, err: /required option/ });
  t.match(await run('site', 'show'), { code: 2, err: /missing required argument/ });
});

t.test('the version', async (t) => {
  t.match(await run('--version'), { code: 0, out: /^\d+\.\d+\.\d+$/ });
});

t.test('--config is taken before and after the command', async (t) => {
  const { configFile } = makeInstance(t);
  for (const args of [
    ['--config', configFile, 'check'],
    ['check', '--config', configFile],
    ['check', '-c', configFile],
    ['site', '--config', configFile, 'list'],
    ['site', 'list', '--config', configFile],
  ]) {
    t.match(await run(...args), { code: 0 }, args.join(' '));
  }
  t.match(await run('check', '--config', '/nowhere/guise.toml'), {
    code: 5,
    err: /^guise: there is no configuration file \/nowhere\/guise.toml\n {2}remedy: touch/,
  });
});

t.test('errors end in a code, a sentence and a remedy', async (t) => {
  const daemon = startFakeDaemon(t);
  daemon.failure = new GuiseError('SYSCALL_FAILED', 'it broke', { remedy: 'mend it' });
  t.same(await run('reload', '-c', daemon.configFile), {
    code: 8,
    out: '',
    err: 'guise: it broke\n  remedy: mend it',
  });
  daemon.failure = new TypeError('x is undefined');
  t.match(await run('reload', '-c', daemon.configFile), { code: 70, err: /x is undefined/ });
});

t.test('the program itself', async (t) => {
  const program = fileURLToPath(new URL('../../../bin/guise', import.meta.url));
  const { configFile } = makeInstance(t);
  // tap gives what is started a NODE_OPTIONS of its own, which nobody else would.
  const ping = spawnSync('env', ['-u', 'NODE_OPTIONS', program, 'ping', '--config', configFile], {
    encoding: 'utf8',
  });
  t.match(ping, { status: 3, stdout: '', stderr: /^guise: guise is not running/ });
  const piped = spawnSync('sh', ['-c', `env -u NODE_OPTIONS "${program}" --help | true`], {
    encoding: 'utf8',
  });
  t.match(piped, { status: 0, stderr: '' }, 'a reader that leaves early is no error');
});
