/** Where paths lead, and which links a site's user could turn elsewhere. Run as root, as every test that makes owners. */

import { chmodSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import t from 'tap';
import { followWay, isHonest, type Walker } from '../../src/site/way.js';

const alice = 64_901;
const bob = 64_902;
const deployer = 64_903;
const walker: Walker = { uid: alice, trusted: [deployer] };

const top = mkdtempSync('/tmp/guise-way-');
t.teardown(() => rmSync(top, { recursive: true }));
chmodSync(top, 0o755);

function directory(name: string, owner: number, mode = 0o755): void {
  mkdirSync(`${top}/${name}`);
  chmodSync(`${top}/${name}`, mode);
  lchownSync(`${top}/${name}`, owner, owner);
}

/** The owner of a link says nothing: whoever may write the directory may move and replace it. */
function link(name: string, target: string): void {
  symlinkSync(target, `${top}/${name}`);
}

directory('alice', alice);
directory('alice/www-7', alice);
directory('bob', bob);
directory('bob/www', bob);
directory('roots', 0);
directory('shared', 0, 0o777);
directory('team', 0, 0o775);
directory('deploy', deployer);
directory('deploy/release', deployer);
link('alice/www', 'www-7');
link('alice/neighbour', '../bob/www');
link('alice/everything', '/');
link('alice/roots', `${top}/roots`);
link('alice/chain', 'neighbour');
link('roots/alice', '../alice/www-7');
link('roots/bob', '../bob/www');
link('roots/two', '../alice/neighbour');
link('shared/bob', '../bob');
link('team/bob', '../bob');
link('deploy/current', 'release');
link('deploy/bob', `${top}/bob`);

const table: readonly (readonly [string, string, boolean])[] = [
  ['alice/www-7', 'alice/www-7', true],
  ['alice/./www-7//', 'alice/www-7', true],
  ['bob/www', 'bob/www', true], // said by root, who may
  ['alice/www', 'alice/www-7', true],
  ['alice/www/../www-7', 'alice/www-7', true],
  ['alice/neighbour', 'bob/www', false],
  ['alice/neighbour/..', 'bob', false],
  ['alice/chain', 'bob/www', false],
  ['alice/everything', '', false],
  ['alice/roots', 'roots', false],
  ['roots/alice', 'alice/www-7', true],
  ['roots/bob', 'bob/www', true],
  ['roots/two', 'bob/www', false],
  ['shared/bob', 'bob', false],
  ['team/bob', 'bob', false],
  ['deploy/current', 'deploy/release', true],
  ['deploy/bob', 'bob', true],
];

for (const [path, real, honest] of table) {
  t.test(path, async (t) => {
    const way = followWay(`${top}/${path}`, walker);
    t.equal(way.real, real === '' ? '/' : `${top}/${real}`);
    t.equal(isHonest(way, walker), honest);
  });
}

t.test('directories that hold links are told, with their owners', async (t) => {
  t.same(followWay(`${top}/roots/two`, walker).holders, [
    { path: `${top}/roots`, owner: 0 },
    { path: `${top}/alice`, owner: alice },
  ]);
  t.same(followWay(`${top}/alice/www-7`, walker).holders, []);
});

t.test('what is not there, and circles', async (t) => {
  link('roots/circle', 'circle');
  link('roots/dangling', 'nothing');
  t.throws(() => followWay(`${top}/none`, walker), { code: 'ENOENT' });
  t.throws(() => followWay(`${top}/roots/dangling`, walker), { code: 'ENOENT' });
  t.throws(() => followWay(`${top}/roots/circle`, walker), { code: 'ELOOP' });
});
