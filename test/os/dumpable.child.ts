/** As another user: shows to whom our files in /proc belong, before and after dropDumpable(). */
import { statSync, writeSync } from 'node:fs';
import { dropDumpable } from '../../src/os/process.js';

const owner = () => statSync('/proc/self/environ').uid;
process.setgroups?.([]);
process.setgid?.(61002);
process.setuid?.(61001);
const { addon } = await import('../../src/os/addon.js');
// The change of user has made us undumpable already.
addon.setDumpable(true);
const before = owner();
dropDumpable();
writeSync(1, `${before} ${owner()}\n`);
