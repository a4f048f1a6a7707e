/** Directories that are sites by themselves: as whom each runs, and each reason to refuse one. */

import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Config } from '../../src/config/config.js';
import { automaticSite, routerAuto } from '../../src/master/auto-sites.js';
import { type UserEntry, userByName } from '../../src/os/identity.js';
import { parseAutoPattern } from '../../src/site/auto.js';
import type { Site } from '../../src/site/site.js';
import { makeInstance } from '../site/instance.js';

function user(name: string): UserEntry {
  const entry = userByName(name);
  if (entry === undefined) throw new Error(`no user ${name}`);
  return entry;
}

const alice = user('games');
const bob = user('man');
const nobodyUid = 64_933;

interface Stage {
  readonly top: string;
  readonly config: Config;
  /** Makes `/home/NAME/www`, all of it the owner's, and returns its path. */
  readonly home: (name: string, owner: number) => string;
  readonly make: (name: string, pattern?: number) => Site;
}

function stage(t: Test, toml = ''): Stage {
  const top = mkdtempSync('/tmp/guise-auto-');
  t.teardown(() => rmSync(top, { recursive: true }));
  chmodSync(top, 0o755);
  mkdirSync(`${top}/home`, { mode: 0o755 });
  const texts = [`${top}/home/*/www`, `${top}/home/*`];
  const patterns = texts.map(parseAutoPattern).filter((pattern) => pattern !== undefined);
  const config = makeInstance(t, toml).config();
  return {
    top,
    config,
    home: (name, owner) => {
      const www = `${top}/home/${name}/www`;
      mkdirSync(www, { recursive: true, mode: 0o755 });
      for (const path of [`${top}/home/${name}`, www]) chownSync(path, owner, owner);
      return www;
    },
    make: (name, pattern = 0) => automaticSite(config, patterns, { pattern, name }),
  };
}

t.test('a directory runs as its owner', (t) => {
  const { top, home, make } = stage(t, '[defaults]\nmax_workers = 3\nsocket = "own"\nkey_required = true\n');
  const www = home('alice', alice.uid);
  t.match(make('alice'), {
    name: '~alice',
    root: www,
    realRoot: www,
    user: alice,
    maxWorkers: 3,
    socket: 'shared',
    dispatch: 'router',
    keyRequired: false,
    keys: [],
    visitors: {},
  });
  t.match(make('alice', 1), { name: '~1~alice', root: `${top}/home/alice` });
  chownSync(`${top}/home/alice`, 0, 0);
  t.match(make('alice'), { user: { name: 'games' } }, 'a way of root’s is nobody else’s');
  chownSync(`${top}/home`, alice.uid, 0);
  t.match(make('alice'), { user: { name: 'games' } }, 'nor is his own');
  symlinkSync('elsewhere', `${www}/link`);
  t.ok(make('alice'), 'links inside are the script check’s matter');
  t.end();
});

t.test('a link within the matched directory', (t) => {
  const { top, home, make } = stage(t);
  home('alice', alice.uid);
  mkdirSync(`${top}/home/alice/real`);
  chownSync(`${top}/home/alice/real`, alice.uid, alice.gid);
  rmSync(`${top}/home/alice/www`, { recursive: true });
  symlinkSync('real', `${top}/home/alice/www`);
  t.match(make('alice'), { realRoot: `${top}/home/alice/real`, user: { name: 'games' } });
  t.end();
});

const cases: [string, RegExp, (stage: Stage) => void][] = [
  ['nothing there', /ENOENT/, () => undefined],
  [
    'no directory',
    /not a directory/,
    ({ top }) => {
      mkdirSync(`${top}/home/x`);
      writeFileSync(`${top}/home/x/www`, '');
    },
  ],
  ['root’s', /never runs as root/, ({ home }) => home('x', 0)],
  ['nobody’s', /uid 64933, is no user/, ({ home }) => home('x', nobodyUid)],
  ['the router’s', /the router's own/, ({ home }) => home('x', user('daemon').uid)],
  ['the web server’s', /the web server's own/, ({ home }) => home('x', user('www-data').uid)],
  [
    'in a home of somebody else',
    /belongs to uid 6\b/,
    ({ top, home }) => {
      home('x', alice.uid);
      chownSync(`${top}/home/x`, bob.uid, bob.gid);
    },
  ],
  [
    'beneath a directory of somebody else',
    /belongs to uid 6\b/,
    ({ top, home }) => {
      home('x', alice.uid);
      chownSync(`${top}/home`, bob.uid, bob.gid);
    },
  ],
  ...['www', '.', '..'].map((part): [string, RegExp, (stage: Stage) => void] => [
    `where all may write to ${part}`,
    /mode 1?777, writable by all/,
    ({ top, home }) => {
      home('x', alice.uid);
      chmodSync(`${top}/home/x/${part}`, part === '..' ? 0o1777 : 0o777);
    },
  ]),
  [
    'a home that is a link',
    /a symbolic link/,
    ({ top, home }) => {
      home('y', alice.uid);
      symlinkSync('y', `${top}/home/x`);
    },
  ],
  [
    'a link into another home',
    /a link to .*\/home\/y\/www/,
    ({ top, home }) => {
      home('y', bob.uid);
      rmSync(home('x', alice.uid), { recursive: true });
      symlinkSync('../y/www', `${top}/home/x/www`);
    },
  ],
  [
    'a link to a directory whose name only begins so',
    /a link to/,
    ({ top, home }) => {
      home('xx', alice.uid);
      rmSync(home('x', alice.uid), { recursive: true });
      symlinkSync('../xx/www', `${top}/home/x/www`);
    },
  ],
  [
    'a link in a circle',
    /ELOOP/,
    ({ top, home }) => {
      rmSync(home('x', alice.uid), { recursive: true });
      symlinkSync('www', `${top}/home/x/www`);
    },
  ],
];

for (const [what, found, prepare] of cases) {
  t.test(`refused: ${what}`, (t) => {
    const made = stage(t);
    prepare(made);
    t.throws(() => made.make('x'), { code: 'SITE_INVALID', message: found });
    t.end();
  });
}

t.test('refused: a name or a pattern that the router cannot mean', (t) => {
  const { home, make } = stage(t);
  home('alice', alice.uid);
  for (const name of [
    '',
    '.',
    '..',
    '../alice',
    'alice/',
    'alice/../alice',
    '.alice',
    'alice\0',
    'a'.repeat(101),
  ]) {
    t.throws(
      () => make(name),
      { code: 'SITE_INVALID', message: /the name of no site/ },
      JSON.stringify(name),
    );
  }
  for (const pattern of [2, -1, 0.5, Number.NaN, 0xffff_ffff]) {
    t.throws(() => make('alice', pattern), { code: 'SITE_INVALID', message: /the name of no site/ });
  }
  t.end();
});

t.test('refused: an owner below the floors', (t) => {
  const { home, config } = stage(t);
  const www = home('alice', alice.uid);
  const pattern = parseAutoPattern(www.replace('alice', '*'));
  if (pattern === undefined) throw new Error('no pattern');
  t.throws(() => automaticSite({ ...config, minUid: 1000 }, [pattern], { pattern: 0, name: 'alice' }), {
    code: 'SITE_INVALID',
    message: /below the floor/,
  });
  t.end();
});

t.test('what the router learns of them', (t) => {
  const { config } = stage(t, '[defaults]\nmax_workers = 3\n');
  const auto = { roots: ['/home/*/www'], patterns: [], key: 'ab'.repeat(32) };
  const told = routerAuto(config, auto);
  t.match(told, {
    roots: ['/home/*/www'],
    site: { keyRequired: true, isHidden: true, maxWorkers: 3, aliases: [], ownSocket: false },
  });
  t.match(told.site.keyHashes, [/^[0-9a-f]{64}$/]);
  t.notMatch(JSON.stringify(told), auto.key);
  t.end();
});
