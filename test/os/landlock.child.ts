/** Says whether there is Landlock where this runs. */
import { writeSync } from 'node:fs';
import { landlockSupport } from '../../src/os/landlock.js';

writeSync(1, `${JSON.stringify(landlockSupport())}\n`);
