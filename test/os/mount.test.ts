import { mkdirSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { errno } from '../../src/os/errno.js';
import { mountsBelow, mountTmpfs, resizeTmpfs, unmount } from '../../src/os/mount.js';
import { openDirectory } from './compiled.js';

const top = openDirectory(t);
const size = 256 * 1024;
const tmpfs = { bytes: size, uid: 61_001, gid: 61_002 };

function sizeOf(directory: string): number {
  const { blocks, bsize } = statfsSync(directory);
  return blocks * bsize;
}

t.test('a small file system of its own', async (t) => {
  const place = `${top}/a place`;
  mkdirSync(place);
  writeFileSync(`${place}/below`, '');
  mountTmpfs(place, tmpfs);
  const { uid, gid, mode } = statSync(place);
  t.same({ uid, gid, mode: mode & 0o7777 }, { uid: 61_001, gid: 61_002, mode: 0o700 });
  t.equal(sizeOf(place), size);
  t.same(mountsBelow(top), [place], 'known by its name, blanks and all');
  t.throws(() => writeFileSync(`${place}/large`, Buffer.alloc(size + 1)), { code: 'ENOSPC' });

  writeFileSync(`${place}/large`, Buffer.alloc(size / 2));
  t.equal(resizeTmpfs(place, { ...tmpfs, bytes: 2 * size }), true);
  t.equal(sizeOf(place), 2 * size);
  t.equal(statSync(`${place}/large`).size, size / 2, 'what is in it stays');
  t.equal(resizeTmpfs(place, { ...tmpfs, bytes: 64 * 1024 }), false, 'it does not fit');

  unmount(place);
  t.same(mountsBelow(top), []);
  t.ok(statSync(`${place}/below`));
});

t.test('failures', async (t) => {
  t.throws(() => mountTmpfs(`${top}/none`, tmpfs), {
    code: 'SYSCALL_FAILED',
    detail: { syscall: 'mount', errno: errno.ENOENT },
  });
  t.throws(() => unmount(top), {
    code: 'SYSCALL_FAILED',
    detail: { syscall: 'umount2', errno: errno.EINVAL },
  });
});
