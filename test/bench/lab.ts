/**
 * Where a benchmark happens: a directory, one user and its pages, which every peer serves, and the memory of what must
 * be taken down. It is taken down in every case, also after Ctrl-C.
 */

import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Undo } from '../../src/quickstart/undo.js';
import { idsOf } from '../../src/quickstart/users.js';
import { installDokuWiki } from '../harness/dokuwiki.js';
import { type TestUser, TestUsers } from '../harness/users.js';
import { megabyte } from './pages.js';

export interface Lab {
  readonly directory: string;
  readonly undo: Undo;
  readonly users: TestUsers;
  readonly user: TestUser;
  readonly root: string;
  /** The body of an upload, also in the file upload.bin of the directory. */
  readonly upload: Buffer;
  /** www-data's. */
  readonly webUid: number;
  readonly webGid: number;
  /** A new directory below the lab's. */
  place(name: string): string;
  /** A number that nobody else gets. */
  next(): number;
}

/** The pages beside DokuWiki. */
export const scripts: Readonly<Record<string, string>> = {
  'empty.php': '',
  'phpinfo.php': '<?php phpinfo();',
  'big.php': `<?php
$block = str_repeat('0123456789abcdef', 4096);
for ($n = 0; $n < 16; $n++) echo $block;`,
  'upload.php': `<?php
$length = 0;
$input = fopen('php://input', 'rb');
while (!feof($input)) $length += strlen(fread($input, 65536));
if ($length !== ${megabyte}) http_response_code(500);
echo $length;`,
  'sleep.php': '<?php usleep(100000); echo "slept";',
  'spin.php': '<?php $end = hrtime(true) + 20e6; while (hrtime(true) < $end); echo "spun";',
  'id.php': '<?php echo posix_getuid();',
};

/** Runs `work` in a lab of its own, with DokuWiki among its pages or without. Problems of the end are written to stderr. */
export async function inLab<T>(work: (lab: Lab) => Promise<T>, wiki = false): Promise<T> {
  const undo = new Undo();
  let ending: Promise<void> | undefined;
  const takeDown = (): Promise<void> => {
    ending ??= undo.run().then((problems) => {
      for (const problem of problems) process.stderr.write(`bench: ${problem}\n`);
    });
    return ending;
  };
  const interrupted = (): void => void takeDown().then(() => process.exit(130));
  for (const signal of signals) process.once(signal, interrupted);
  try {
    return await work(await create(undo, wiki));
  } finally {
    await takeDown();
    for (const signal of signals) process.removeListener(signal, interrupted);
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function create(undo: Undo, wiki: boolean): Promise<Lab> {
  const directory = mkdtempSync('/tmp/guise-b-');
  undo.push(`remove ${directory}`, () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const users = new TestUsers(undo);
  const user = await users.get('site');
  const root = `${directory}/home/www`;
  mkdirSync(root, { recursive: true, mode: 0o755 });
  if (wiki) await installDokuWiki({ name: 'bench.test', user, root });
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(`${root}/${name}`, text);
    chownSync(`${root}/${name}`, user.uid, user.gid);
  }
  const upload = Buffer.alloc(megabyte, 'upload');
  writeFileSync(`${directory}/upload.bin`, upload);
  const place = (name: string): string => {
    mkdirSync(`${directory}/${name}`, { mode: 0o755 });
    return `${directory}/${name}`;
  };
  const { uid: webUid, gid: webGid } = await idsOf('www-data');
  let count = 0;
  const next = (): number => ++count;
  return { directory, undo, users, user, root, upload, webUid, webGid, place, next };
}

/** One line of progress. */
export function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
