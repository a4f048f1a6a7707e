/** What php-cgi is told arrives there, whatever it is: asked of a real php-cgi. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { siteDirectories } from '../../src/master/layout.js';
import { phpCommand, writeLockedSettings } from '../../src/master/php-command.js';
import { readSites } from '../../src/site/registry.js';
import type { Site } from '../../src/site/site.js';
import { run } from '../os/running.js';
import { makeInstance, siteText } from '../site/instance.js';

const library = '/nonexistent/guise.so';

const nasty = [
  'plain',
  'two words',
  ' leading and trailing ',
  'a "quoted" word',
  "it's",
  `both ' and "`,
  `''`,
  `'"'"'`,
  'C:\\',
  'a\\b\\\\c',
  "\\'",
  '\\"',
  'a;b',
  '# no comment',
  '; no comment either',
  'a=b&c|d^~e!(f)',
  '$' + '{HOME}',
  '$HOME $' + '{PATH} \\$' + '{HOME}',
  '%{x} {y} [PATH=/]',
  '[HOST=example.com]',
  '<?php exit(1);',
  'grüße, 世界',
  '-1',
  'a\\nb',
  ', . / : -',
];

interface Stage {
  readonly site: Site;
  readonly directories: ReturnType<typeof siteDirectories>;
  /** What a script in the site's root is told of some settings. */
  readonly ask: (settings: readonly string[], more: Partial<Site>) => Promise<Record<string, unknown>>;
}

function stage(t: Test): Stage {
  const instance = makeInstance(t);
  instance.site('a.test.toml', siteText(instance, 'a.test', 'confine = "off"\n'));
  const config = instance.config();
  const [site] = readSites(config).sites;
  if (site === undefined) throw new Error('no site');
  const directories = siteDirectories(config, site.name);
  mkdirSync(`${config.paths.run}/php`, { recursive: true });
  for (const path of [dirname(directories.phpLog), directories.tmp]) mkdirSync(path, { recursive: true });
  const ask: Stage['ask'] = async (settings, more) => {
    const asked = { ...site, ...more };
    writeLockedSettings(asked, directories);
    const { args, env } = phpCommand(asked, directories, library);
    const list = settings.map((name) => `'${name}'`).join(',');
    const script = `${site.root}/ask.php`;
    const set = `@ini_set('user_agent', 'changed');`;
    writeFileSync(
      script,
      `<?php ${asked.phpIni.lock.user_agent === undefined ? '' : set}
       $said = []; foreach ([${list}] as $name) $said[$name] = ini_get($name);
       $said['level'] = error_reporting(); echo json_encode($said);`,
    );
    const { output } = await run({
      file: site.php,
      args: [...args, '-q', '-f', script],
      env: { ...env, LD_PRELOAD: '' },
      cwd: site.root,
    });
    return JSON.parse(output) as Record<string, unknown>;
  };
  return { site, directories, ask };
}

t.test('every value arrives as it was written', async (t) => {
  const { ask } = stage(t);
  for (const value of nasty) {
    const said = await ask(['user_agent'], { phpIni: { set: { user_agent: value }, lock: {} } });
    t.equal(said.user_agent, value, 'set');
  }
});

t.test('so does every locked one, and no script changes it', async (t) => {
  const { ask, directories } = stage(t);
  for (const value of nasty) {
    const said = await ask(['user_agent'], {
      phpIni: { set: { user_agent: 'other' }, lock: { user_agent: value } },
    });
    t.equal(said.user_agent, value, 'locked');
  }
  t.match(readFileSync(`${directories.ini}/guise.ini`, 'utf8'), /^\[PATH=\/tmp\]\nuser_agent = /);
});

t.test('nothing that was locked before stays', async (t) => {
  const { ask } = stage(t);
  await ask([], { phpIni: { set: {}, lock: { user_agent: 'locked' } } });
  const said = await ask(['user_agent'], { phpIni: { set: {}, lock: {} } });
  t.not(said.user_agent, 'locked');
});

t.test('a locked value that PHP reads only at its start', async (t) => {
  const { ask, directories } = stage(t);
  const lock = { disable_functions: 'exec,system', open_basedir: '/tmp:/usr' };
  const said = await ask(['disable_functions', 'open_basedir'], { phpIni: { set: {}, lock } });
  t.match(said, lock);
  t.throws(() => readFileSync(`${directories.ini}/guise.ini`), { code: 'ENOENT' });
});

t.test('numbers, switches and error levels mean what they mean in php.ini', async (t) => {
  const { ask } = stage(t);
  const set = { memory_limit: '64M', display_errors: '0', error_reporting: 'E_ALL & ~E_DEPRECATED' };
  for (const phpIni of [
    { set, lock: {} },
    { set: {}, lock: set },
  ]) {
    const said = await ask(['memory_limit', 'display_errors'], { phpIni });
    t.match(said, { memory_limit: '64M', display_errors: '0', level: 32_767 & ~8192 });
  }
  const text = { user_agent: 'ROBOT | ~SPIDER' };
  const said = await ask(['user_agent'], { phpIni: { set: text, lock: {} } });
  t.equal(said.user_agent, text.user_agent, 'a text with such signs is still a text');
});

t.test("a site's files go to its own directories, unless it says otherwise", async (t) => {
  const { ask, directories } = stage(t);
  const names = ['error_log', 'sys_temp_dir', 'upload_tmp_dir', 'session.save_path', 'opcache.lockfile_path'];
  t.match(await ask(names, {}), {
    error_log: directories.phpLog,
    sys_temp_dir: directories.tmp,
    upload_tmp_dir: directories.tmp,
    'session.save_path': directories.sessions,
  });
  const said = await ask(names, { phpIni: { set: { 'session.save_path': '/elsewhere' }, lock: {} } });
  t.equal(said['session.save_path'], '/elsewhere');
});

t.test('what guise says in the environment is not for a site to change', (t) => {
  const { site, directories } = stage(t);
  const env = {
    LD_PRELOAD: '/evil.so',
    GUISE_SITE: 'other.test',
    GUISE_OWNERS: '0',
    PHP_INI_SCAN_DIR: '/evil',
    PHP_FCGI_MAX_REQUESTS: '5',
    HOME: '/elsewhere',
    APP_ENV: 'production',
  };
  const command = phpCommand({ ...site, env, trustedUids: [7, 8] }, directories, library);
  t.match(command.env, {
    LD_PRELOAD: library,
    GUISE_SITE: 'a.test',
    GUISE_OWNERS: '7,8',
    GUISE_ROOT: site.root,
    PHP_INI_SCAN_DIR: `:${directories.ini}`,
    PHP_FCGI_MAX_REQUESTS: '0',
    HOME: '/elsewhere',
    APP_ENV: 'production',
    USER: 'games',
    TMPDIR: directories.tmp,
  });
  t.equal(command.args[0], site.php);
  t.notOk(
    command.args.some((arg) => arg.includes('\n')),
    'one line each',
  );
  t.end();
});
