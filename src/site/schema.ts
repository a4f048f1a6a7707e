/**
 * Every key that the file of a site may have, with what is expected of it. The words and examples here are
 * what `guise check` prints and what the reference page is tested against.
 *
 * Only the shape is checked here; whether users and directories exist is the matter of system.ts.
 */

import { z } from 'zod';
import { durationKey, sizeKey } from '../config/duration.js';
import { described } from '../config/explain.js';
import { isolationKeys } from './isolation.js';
import { processKeys } from './processes.js';
import { recordingKeys } from './recording.js';

const namePattern = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** Whether a text can be the name or an alias of a site. Names also serve as file names, so this is strict. */
export function isSiteName(text: string): boolean {
  return namePattern.test(text) && !text.includes('..');
}

const siteName = z
  .string()
  .transform((text) => text.toLowerCase().replace(/\.$/, ''))
  .refine(isSiteName, { error: 'is not a host name that guise can use' });

const absolutePath = z
  .string()
  .refine((text) => text.startsWith('/') && !hasControl(text), { error: 'is not an absolute path' });

function hasControl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\x00-\x1f\x7f]/.test(text);
}

function count(least: number, most: number) {
  return z.int().min(least).max(most);
}

export const secret = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => /^[0-9a-f]{32,128}$/.test(text), { error: 'is not a key' });

/** Variables that would reach into how PHP or guise starts. */
const reservedVariable = /^(LD_.*|GUISE_.*|PHPRC|PHP_INI_SCAN_DIR|PHP_FCGI_.*|PHP_VALUE|PHP_ADMIN_VALUE)$/;

const variableName = z
  .string()
  .refine((text) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text), { error: 'is not the name of a variable' })
  .refine((text) => !reservedVariable.test(text), { error: 'is a variable that guise sets or forbids' });

const iniName = z
  .string()
  .refine((text) => /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text), { error: 'is not the name of a PHP setting' });

const iniValue = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((value) => (typeof value === 'boolean' ? (value ? '1' : '0') : String(value)))
  .refine((text) => !hasControl(text), { error: 'holds a line break or another control character' });

function iniTable(example: string) {
  const value = described(iniValue, 'a text, a number, true or false', example);
  return described(z.record(iniName, value), 'PHP settings by name', example).exactOptional();
}

function key<T extends z.ZodType>(schema: T, expected: string, example: string) {
  return described(schema.exactOptional(), expected, example);
}

const argument = z.string().refine((text) => !text.includes('\0'), { error: 'holds a NUL' });

/** All of them are told to the router in one message (control/router-messages.ts). */
function areFew(visitors: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(visitors);
  return names.length <= 250 && Buffer.byteLength(names.join('')) <= 24 * 1024;
}

/** The keys that only a site itself can have. */
const ownKeys = {
  name: described(
    siteName,
    'a host name in lower case: letters, digits, ".", "-" and "_", at most 100',
    'name = "example.com"',
  ),
  aliases: key(z.array(siteName).max(1000), 'a list of host names', 'aliases = ["www.example.com"]'),
  root: described(absolutePath, 'the absolute path of a directory', 'root = "/home/alice/www"'),
  user: described(z.string().min(1), 'the name of a Unix user', 'user = "alice"'),
  enabled: key(z.boolean(), 'true or false', 'enabled = false'),
  command: key(
    z
      .tuple([absolutePath], argument)
      .refine((words) => words.length <= 100 && Buffer.byteLength(words.join('')) <= 32 * 1024, {
        error: 'holds too much',
      }),
    'a list of texts: the absolute path of a FastCGI program, then its arguments',
    'command = ["/usr/bin/perl", "app.pl"]',
  ),
  key: key(
    secret,
    '32 to 128 hexadecimal digits',
    'key = "(64 hexadecimal digits; guise site set NAME --rotate-key makes one)"',
  ),
  visitors: key(
    z
      .record(
        described(
          z
            .string()
            .min(1)
            .max(256)
            .refine((text) => !hasControl(text), { error: 'holds a control character' }),
          'the name that a visitor logs in with',
          'visitors = { carol = "carol" }',
        ),
        described(z.string().min(1), 'the name of a Unix user', 'visitors = { carol = "carol" }'),
      )
      .refine(areFew, { error: 'holds too many names' }),
    'at most 250 names of authenticated visitors, 24 KiB together, and the Unix user that each runs as',
    'visitors = { carol = "carol" }',
  ),
  old_keys: key(
    z.array(z.strictObject({ key: secret, until: z.date() })).max(10),
    'a list of keys with the time until which each is accepted',
    'old_keys = [{ key = "0123…", until = 2030-01-01T00:00:00Z }]',
  ),
};

const limitsTable = z.strictObject({
  nofile: key(count(16, 1_048_576), 'a whole number from 16 to 1048576', 'nofile = 1024'),
  nproc: key(count(1, 4_194_304), 'a whole number from 1 to 4194304', 'nproc = 100'),
  as: key(sizeKey(64 * 1024 ** 2), 'a size of at least "64M"', 'as = "2G"'),
  cpu: key(durationKey(1000), 'a duration of at least "1s"', 'cpu = "60s"'),
  core: key(sizeKey(0), 'a size such as 0 or "100M"', 'core = 0'),
  fsize: key(sizeKey(4096), 'a size of at least "4K"', 'fsize = "1G"'),
});

/** The keys that [defaults] may have too. */
export const sharedKeys = {
  mode: key(z.enum(['pool', 'per-request']), '"pool" or "per-request"', 'mode = "pool"'),
  socket: key(z.enum(['shared', 'own']), '"shared" or "own"', 'socket = "shared"'),
  dispatch: key(
    z.enum(['router', 'direct']),
    '"router", or "direct" with the site\'s own socket',
    'dispatch = "router"',
  ),
  php: key(absolutePath, 'the absolute path of a php-cgi program', 'php = "/usr/bin/php-cgi"'),
  key_required: key(z.boolean(), 'true or false', 'key_required = true'),
  max_workers: key(count(1, 10_000), 'a whole number from 1 to 10000', 'max_workers = 8'),
  max_requests: key(count(0, 1_000_000_000), 'a whole number; 0 for no limit', 'max_requests = 1000'),
  max_memory: key(sizeKey(0), 'a size such as "256M"; 0 for no limit', 'max_memory = "256M"'),
  max_age: key(durationKey(0), 'a duration, at most 24 days; "0s" for no limit', 'max_age = "6h"'),
  quarantine_after: key(
    count(0, 1000),
    'a whole number from 0 to 1000; 0 for never',
    'quarantine_after = 10',
  ),
  weight: key(z.number().min(0.01).max(100), 'a number from 0.01 to 100', 'weight = 1'),
  spare: key(count(0, 1000), 'a whole number from 0 to 1000', 'spare = 1'),
  time_limit: key(durationKey(1000), 'a duration of at least "1s", at most 24 days', 'time_limit = "120s"'),
  idle_timeout: key(
    durationKey(100),
    'a duration of at least "100ms", at most 24 days',
    'idle_timeout = "60s"',
  ),
  queue_length: key(count(0, 100_000), 'a whole number from 0 to 100000', 'queue_length = 100'),
  queue_timeout: key(
    durationKey(100),
    'a duration of at least "100ms", at most 24 days',
    'queue_timeout = "30s"',
  ),
  max_body: key(sizeKey(0), 'a size such as "256M"', 'max_body = "256M"'),
  suffixes: key(
    z
      .array(z.string().refine((text) => /^\.[A-Za-z0-9]{1,20}$/.test(text), { error: 'is not a suffix' }))
      .min(1)
      .max(20),
    'a list of suffixes, each with its dot',
    'suffixes = [".php"]',
  ),
  trusted_owners: key(
    z.array(z.string().min(1)).max(20),
    'a list of Unix users',
    'trusted_owners = ["root"]',
  ),
  umask: key(
    z.string().refine((text) => /^0?[0-7]{3}$/.test(text), { error: 'is not an octal number in quotes' }),
    'three octal digits in quotes',
    'umask = "022"',
  ),
  env: key(
    z.record(
      variableName,
      described(
        z.string().refine((text) => !text.includes('\0'), { error: 'holds a NUL' }),
        'a text',
        'env = { APP_ENV = "production" }',
      ),
    ),
    'names and texts',
    'env = { APP_ENV = "production" }',
  ),
  php_ini: key(
    z.strictObject({ set: iniTable('memory_limit = "256M"'), lock: iniTable('memory_limit = "256M"') }),
    'the tables [php_ini.set] and [php_ini.lock]',
    'php_ini = { set = { memory_limit = "256M" } }',
  ),
  limits: key(limitsTable, 'a table of resource limits', 'limits = { nofile = 1024 }'),
  ...isolationKeys,
  ...recordingKeys,
  ...processKeys,
};

export const siteSchema = z.strictObject({ ...ownKeys, ...sharedKeys });
export const defaultsSchema = z.strictObject(sharedKeys);

/** The file of a site after its shape was checked, keys as written; durations in ms, sizes in bytes. */
export type SiteFile = z.output<typeof siteSchema>;
/** What [defaults] may hold, in the same form. */
export type SiteDefaults = z.output<typeof defaultsSchema>;
