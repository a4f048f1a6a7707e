/**
 * The keys of a site that say what its processes may reach and take, beside their user: Landlock, privileges,
 * priority, and the directory for temporary files.
 */

import { z } from 'zod';
import { durationKey, sizeKey } from '../config/duration.js';
import { described } from '../config/explain.js';

export interface Isolation {
  /** What a site's processes may reach in the file system beside what file modes say: see master/confinement.ts. */
  readonly confine: 'landlock' | 'off';
  /** Further paths, absolute as written, that a confined site may read, or read and write. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** Nothing that a script starts gains privileges: setuid and setgid programs, `sendmail` among them, do not work. */
  readonly noNewPrivileges: boolean;
  /** The niceness, -20 to 19. */
  readonly nice: number;
  /** Temporary files that nobody has touched for so long are removed while the site is active; 0: never. */
  readonly tmpMaxAgeMs: number;
  /** The temporary directory is a file system of its own with this size; 0: an ordinary directory. */
  readonly tmpSizeBytes: number;
}

const path = z
  .string()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  .refine((text) => text.startsWith('/') && !/[\x00-\x1f\x7f]/.test(text), {
    error: 'is not an absolute path',
  });

function key<T extends z.ZodType>(schema: T, expected: string, example: string) {
  return described(schema.exactOptional(), expected, example);
}

function sizeOrNone() {
  return sizeKey(0).refine((bytes) => bytes === 0 || bytes >= 64 * 1024, { error: 'is too small' });
}

export const isolationKeys = {
  confine: key(z.enum(['landlock', 'off']), '"landlock" or "off"', 'confine = "landlock"'),
  readable: key(
    z.array(path).max(100),
    'a list of absolute paths that exist',
    'readable = ["/srv/shared/fonts"]',
  ),
  writable: key(
    z.array(path).max(100),
    'a list of absolute paths that exist',
    'writable = ["/srv/example.com/data"]',
  ),
  no_new_privs: key(z.boolean(), 'true or false', 'no_new_privs = false'),
  nice: key(z.int().min(-20).max(19), 'a whole number from -20 to 19', 'nice = 5'),
  tmp_max_age: key(durationKey(0), 'a duration, at most 24 days; 0 for never', 'tmp_max_age = "1d"'),
  tmp_size: key(
    sizeOrNone(),
    'a size of at least "64K"; 0 for no file system of its own',
    'tmp_size = "256M"',
  ),
};

export const isolationDefaults = {
  confine: 'landlock',
  readable: [],
  writable: [],
  no_new_privs: false,
  nice: 0,
  tmp_max_age: 86_400_000,
  tmp_size: 0,
} satisfies IsolationFile;

type IsolationFile = z.output<z.ZodObject<typeof isolationKeys>>;

export function isolationOf(written: Required<IsolationFile>): Isolation {
  return {
    confine: written.confine,
    readable: written.readable,
    writable: written.writable,
    noNewPrivileges: written.no_new_privs,
    nice: written.nice,
    tmpMaxAgeMs: written.tmp_max_age,
    tmpSizeBytes: written.tmp_size,
  };
}
