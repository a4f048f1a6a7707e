/** Locks a directory and dies with it. */

import { lockRunDirectory } from '../../src/master/lock.js';

lockRunDirectory(process.argv[2] ?? '');
process.kill(process.pid, 'SIGKILL');
