/**
 * The page that `guise check SITE` asks for. It lies in the site's root for a moment, where the site's own user and
 * whoever can guess its name can reach it, so it tells nothing unless it is asked with a token of which it holds only
 * the hash, takes itself away before it answers, and answers to nobody once its time is over.
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Asks in headers: they do not stand in access logs. */
export const tokenHeader = 'X-Guise-Probe';
export const foreignHeader = 'X-Guise-Probe-File';

/** How long the page answers, in seconds. */
const lifeSeconds = 60;

/** @param locked settings whose values scripts must not be able to change */
export function probePage(token: string, locked: readonly string[], nowMs: number): string {
  const hash = createHash('sha256').update(token).digest('hex');
  const until = Math.floor(nowMs / 1000) + lifeSeconds;
  // Names of settings are letters, digits, dots and dashes (site/schema.ts): nothing to escape.
  const names = locked.map((name) => `'${name}'`).join(', ');
  return `<?php
// Written by "guise check" as this site's user, and removed by it. It answers once.
$token = $_SERVER['HTTP_X_GUISE_PROBE'] ?? '';
if (time() > ${until} || !hash_equals('${hash}', hash('sha256', $token))) { http_response_code(404); exit; }
@unlink(__FILE__);
clearstatcache();
header('Content-Type: application/json');
header('Cache-Control: no-store');
$ask = fn (string $name) => function_exists($name) ? $name() : null;
$directory = function (string $path): array {
    $stat = @stat($path);
    return ['path' => $path, 'mode' => $stat ? $stat['mode'] & 07777 : -1, 'uid' => $stat ? $stat['uid'] : -1];
};
$foreign = $_SERVER['HTTP_X_GUISE_PROBE_FILE'] ?? '';
$handle = $foreign === '' ? false : @fopen($foreign, 'rb');
$made = @tempnam(sys_get_temp_dir(), 'guise');
if ($made !== false) @unlink($made);
$cache = function_exists('opcache_get_status') ? @opcache_get_status(true) : false;
$locked = [];
foreach ([${names}] as $name) $locked[$name] = ['value' => ini_get($name), 'changeable' => @ini_set($name, '') !== false];
$told = array_merge(array_keys($_SERVER), array_keys(getenv()), array_keys($_ENV));
echo json_encode([
    'sapi' => PHP_SAPI, 'version' => PHP_VERSION, 'pid' => getmypid(),
    'uid' => $ask('posix_getuid'), 'euid' => $ask('posix_geteuid'),
    'gid' => $ask('posix_getgid'), 'egid' => $ask('posix_getegid'), 'groups' => $ask('posix_getgroups'),
    'umask' => umask(), 'limits' => $ask('posix_getrlimit'),
    'tmp' => $directory(sys_get_temp_dir()), 'made' => $made === false ? '' : dirname($made),
    'sessions' => $directory(session_save_path() ?: '/tmp'),
    'opcache' => $cache === false ? null : array_slice(array_keys($cache['scripts'] ?? []), 0, 2000),
    'opened' => $foreign === '' ? null : is_resource($handle),
    'locked' => (object) $locked,
    'guise' => array_values(array_unique(array_filter($told, fn ($name) => str_contains((string) $name, 'GUISE_')
        && !str_contains((string) $name, 'GUISE_PROBE')))),
], JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR);
`;
}

const number = z.number().nullable();
const directory = z.object({ path: z.string(), mode: z.number(), uid: z.number() });
const limit = z.union([z.number(), z.string()]);

/** What the page answers. A site's own code may forge all of it (auto_prepend_file): it is shown, and decides nothing. */
export const probeAnswer = z.object({
  sapi: z.string(),
  version: z.string(),
  pid: z.number(),
  uid: number,
  euid: number,
  gid: number,
  egid: number,
  groups: z.array(z.number()).nullable(),
  umask: z.number(),
  limits: z.record(z.string(), limit).nullable(),
  tmp: directory,
  made: z.string(),
  sessions: directory,
  opcache: z.array(z.string()).nullable(),
  opened: z.boolean().nullable(),
  locked: z.record(
    z.string(),
    z.object({ value: z.union([z.string(), z.boolean()]), changeable: z.boolean() }),
  ),
  guise: z.array(z.string()),
});

export type ProbeAnswer = z.output<typeof probeAnswer>;
