/** Fills a spool under a limit on the size of files (RLIMIT_FSIZE) and prints what came of it. */
import { readdirSync, readlinkSync } from 'node:fs';
import { BodySpool } from '../../src/request/spool.js';

// Without a handler the kernel's signal would end the process.
process.on('SIGXFSZ', () => undefined);

const directory = process.argv[2] ?? '';

/** Descriptors of bodies; Node opens others of its own, for instance when a signal comes. */
function bodies(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the one that read the directory
    }
  });
  return links.filter((link) => link.startsWith(directory) || link.includes('guise-body')).length;
}

const spool = new BodySpool(
  { memoryBodyBytes: 100, memfdBodyBytes: 1000, spoolMinFreeBytes: 0 },
  directory,
  -1,
);
const chunk = Buffer.alloc(999, 'x');
let failure = 0;
while (failure === 0) failure = spool.write(chunk, 0, chunk.length);
const { length } = spool;
const open = bodies();
spool.close();
process.stdout.write(JSON.stringify({ failure, length, open, afterClose: bodies() }));
