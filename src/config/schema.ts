/** Every key that guise.toml may have. Everything has a default; an empty file is a good one. */

import { availableParallelism, totalmem } from 'node:os';
import { z } from 'zod';
import { parseAutoPattern } from '../site/auto.js';
import { defaultsSchema, secret } from '../site/schema.js';
import { durationKey, sizeKey } from './duration.js';
import { described } from './explain.js';
import { parseTcpAddress } from './listen.js';

function key<T extends z.ZodType>(schema: T, expected: string, example: string) {
  return described(schema.exactOptional(), expected, example);
}

function count(least: number, most: number) {
  return z.int().min(least).max(most);
}

function path(example: string) {
  const schema = z.string().refine((text) => text !== '' && !/[\0\n]/.test(text), { error: 'is not a path' });
  return key(schema, 'a path, absolute or relative to the directory of this file', example);
}

const account = z.string().min(1);

/** A job goes to its worker as one message: with a body of 64 KiB this is what the kernel takes (net.core.wmem_default). */
const largestHeadBytes = 128 * 1024;

/** Printed into web servers' configurations, so it holds nothing that has a meaning there. */
const statusPath = z
  .string()
  .refine((text) => /^(\/[A-Za-z0-9_-]+)+$/.test(text), { error: 'is not the path of an address' });

export const configSchema = z.strictObject({
  paths: key(
    z.strictObject({
      run: path('run = "/run/guise"'),
      state: path('state = "/var/lib/guise"'),
      log: path('log = "/var/log/guise"'),
      sites: path('sites = "/etc/guise/sites.d"'),
    }),
    'a table',
    '[paths]',
  ),
  router: key(
    z.strictObject({
      user: key(account, 'the name of a Unix user that owns nothing', 'user = "guise"'),
      web_users: key(z.array(account).min(1).max(50), 'a list of Unix users', 'web_users = ["www-data"]'),
      listen: key(
        z
          .array(
            z.string().refine((text) => parseTcpAddress(text) !== undefined, {
              error: 'is no loopback address with a port',
            }),
          )
          .max(16),
        'a list of loopback addresses with ports: "127.0.0.1:PORT", "[::1]:PORT"',
        'listen = ["127.0.0.1:9000"]',
      ),
      count: key(count(1, 1), '1: more than one router is not built yet', 'count = 1'),
      max_connections: key(
        count(16, 1_000_000),
        'a whole number from 16 to 1000000',
        'max_connections = 4096',
      ),
      max_head: key(
        sizeKey(8192).refine((bytes) => bytes <= largestHeadBytes, { error: 'is too large' }),
        'a size from "8K" to "128K"',
        'max_head = "128K"',
      ),
      min_free: key(sizeKey(0), 'a size such as "128M"; 0 for none', 'min_free = "128M"'),
      read_timeout: key(
        durationKey(100),
        'a duration of at least "100ms", at most 24 days',
        'read_timeout = "60s"',
      ),
    }),
    'a table',
    '[router]',
  ),
  security: key(
    z.strictObject({
      require_confinement: key(z.boolean(), 'true or false', 'require_confinement = true'),
    }),
    'a table',
    '[security]',
  ),
  control: key(
    z.strictObject({
      group: key(account, 'the name of a Unix group', 'group = "adm"'),
      owners: key(z.boolean(), 'true or false', 'owners = false'),
    }),
    'a table',
    '[control]',
  ),
  status: key(
    z.strictObject({
      enabled: key(z.boolean(), 'true or false', 'enabled = true'),
      path: key(statusPath, 'the path of an address, such as "/guise-status"', 'path = "/guise-status"'),
      ping_path: key(statusPath, 'the path of an address, such as "/ping"', 'ping_path = "/ping"'),
      idle_timeout: key(
        durationKey(100),
        'a duration of at least "100ms", at most 24 days',
        'idle_timeout = "60s"',
      ),
    }),
    'a table',
    '[status]',
  ),
  limits: key(
    z.strictObject({
      max_workers: key(count(1, 100_000), 'a whole number from 1 to 100000', 'max_workers = 64'),
      memory: key(sizeKey(16 * 1024 ** 2), 'a size of at least "16M"', 'memory = "4G"'),
      drain_timeout: key(durationKey(0), 'a duration, at most 24 days', 'drain_timeout = "30s"'),
      min_uid: key(count(1, 4_294_967_294), 'a whole number from 1; root is never allowed', 'min_uid = 1000'),
      min_gid: key(count(1, 4_294_967_294), 'a whole number from 1; root is never allowed', 'min_gid = 1000'),
      cgroup: key(
        z.string().refine((text) => /^(auto|off|\/[^\0\n]*[^\0\n/])$/.test(text), {
          error: 'is neither "auto" nor "off" nor an absolute path',
        }),
        '"auto", "off", or the absolute path of a directory of control groups',
        'cgroup = "auto"',
      ),
    }),
    'a table',
    '[limits]',
  ),
  ledger: key(
    z.strictObject({
      file_size: key(sizeKey(64 * 1024), 'a size of at least "64K"', 'file_size = "4M"'),
      keep: key(count(0, 100), 'a whole number from 0 to 100', 'keep = 2'),
      lines_per_second: key(count(1, 100_000), 'a whole number from 1 to 100000', 'lines_per_second = 100'),
      min_free: key(sizeKey(0), 'a size such as "128M"; 0 for none', 'min_free = "128M"'),
      usage_days: key(count(1, 10_000), 'a whole number from 1 to 10000', 'usage_days = 800'),
    }),
    'a table',
    '[ledger]',
  ),
  auto: key(
    z.strictObject({
      roots: described(
        z
          .array(
            z.string().refine((text) => parseAutoPattern(text) !== undefined, { error: 'is no pattern' }),
          )
          .min(1)
          .max(20),
        'a list of absolute paths with "*" as one whole component',
        'roots = ["/home/*/public_html"]',
      ),
      key: described(secret, '32 to 128 hexadecimal digits', 'key = "(openssl rand -hex 32 makes one)"'),
    }),
    'a table',
    '[auto]',
  ),
  defaults: key(defaultsSchema, 'a table with keys that a site may have', '[defaults]'),
});

export type ConfigFile = z.output<typeof configSchema>;

/** Of the machine's memory, for all workers. */
const memoryShare = 0.75;

/** What holds where guise.toml says nothing. Times in ms, sizes in bytes. */
export const configDefaults = {
  security: { require_confinement: false },
  control: { owners: true },
  paths: { run: '/run/guise', state: '/var/lib/guise', log: '/var/log/guise', sites: '/etc/guise/sites.d' },
  router: {
    user: 'guise',
    web_users: ['www-data'],
    listen: [],
    count: 1,
    max_connections: 4096,
    max_head: largestHeadBytes,
    min_free: 128 * 1024 ** 2,
    read_timeout: 60_000,
  },
  ledger: {
    file_size: 4 * 1024 ** 2,
    keep: 2,
    lines_per_second: 100,
    min_free: 128 * 1024 ** 2,
    usage_days: 800,
  },
  status: { enabled: true, path: '/guise-status', ping_path: '/ping', idle_timeout: 60_000 },
  limits: {
    max_workers: defaultMaxWorkers(),
    memory: Math.floor((totalmem() * memoryShare) / 1024 ** 2) * 1024 ** 2,
    drain_timeout: 30_000,
    min_uid: 1000,
    min_gid: 1000,
    cgroup: 'auto',
  },
} satisfies ConfigFile;

/** One worker for every 64 MiB of memory, between 16 and 1024, and never less than four for a processor. */
function defaultMaxWorkers(): number {
  const byMemory = Math.floor(totalmem() / (64 * 1024 ** 2));
  return Math.min(1024, Math.max(16, 4 * availableParallelism(), byMemory));
}
