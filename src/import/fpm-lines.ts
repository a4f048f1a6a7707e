/**
 * What each directive of a php-fpm pool becomes. One row for each that PHP's manual has; docs/how-to/move.md says the
 * same in words.
 *
 * Source: "List of pool directives" in the PHP manual.
 */

import type { FpmLine, FpmPool } from './fpm-file.js';
import type { FateKind } from './plan.js';

export interface LineOutcome {
  readonly kind: FateKind;
  readonly note: string;
  readonly set?: readonly (readonly [readonly string[], unknown])[];
}

export type LineRule = (line: FpmLine, pool: FpmPool) => LineOutcome;

const left =
  (note: string): LineRule =>
  () => ({ kind: 'left', note });

function taken(
  path: readonly string[],
  value: unknown,
  note = `${path.join('.')} = ${String(value)}`,
): LineOutcome {
  return { kind: 'taken', note, set: [[path, value]] };
}

function changed(path: readonly string[], value: unknown, note: string): LineOutcome {
  return { kind: 'changed', note, set: [[path, value]] };
}

/** A whole number, or the line is left. */
function whole(key: readonly string[], least: number): LineRule {
  return ({ value }) => {
    const number = Number(value);
    return Number.isInteger(number) && number >= least
      ? taken(key, number)
      : { kind: 'left', note: `${value} is no number that ${key.join('.')} can have` };
  };
}

/** php-fpm takes seconds, or a number with s, m, h or d. */
function timeLimit({ value }: FpmLine): LineOutcome {
  const [, number = '', unit = 's'] = /^(\d+)([smhd])?$/.exec(value) ?? [];
  if (number === '') return { kind: 'left', note: `${value} is no time` };
  if (Number(number) === 0)
    return {
      kind: 'changed',
      note: 'no limit; a site of guise always has one: the default of 2m holds (time_limit)',
    };
  return taken(['time_limit'], `${number}${unit}`);
}

function slowAfter({ value }: FpmLine): LineOutcome {
  const [, number = '', unit = 's'] = /^(\d+)([smhd])?$/.exec(value) ?? [];
  return number === ''
    ? { kind: 'left', note: `${value} is no time` }
    : taken(['slow_after'], `${number}${unit}`);
}

const requestLog: LineRule = () => ({ kind: 'changed', note: "the site's own requests.log is used instead" });
const slowLog: LineRule = () => ({ kind: 'changed', note: "the site's own slow.log is used instead" });

/** Settings that guise gives each site a directory of its own for: a shared one would join sites again. */
const ownDirectories = new Set([
  'session.save_path',
  'upload_tmp_dir',
  'sys_temp_dir',
  'soap.wsdl_cache_dir',
  'error_log',
]);

function phpSetting(table: 'set' | 'lock', isFlag: boolean): LineRule {
  return ({ name = '', value }) => {
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) return { kind: 'left', note: 'the name of no PHP setting' };
    if (ownDirectories.has(name))
      return { kind: 'changed', note: "the site's own directory or log is used instead" };
    const on = /^(1|on|yes|true)$/i.test(value) ? '1' : '0';
    return taken(['php_ini', table, name], isFlag ? on : value, `php_ini.${table}.${name}`);
  };
}

const reserved = /^(LD_.*|GUISE_.*|PHPRC|PHP_INI_SCAN_DIR|PHP_FCGI_.*|PHP_VALUE|PHP_ADMIN_VALUE)$/;
/** What guise sets for each site, and php-fpm people copy from examples. */
const ownVariables = new Set(['TMP', 'TMPDIR', 'TEMP']);

function variable({ name = '', value }: FpmLine): LineOutcome {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return { kind: 'left', note: 'the name of no variable' };
  if (reserved.test(name)) return { kind: 'left', note: 'a variable that reaches into how PHP starts' };
  if (ownVariables.has(name))
    return { kind: 'changed', note: "the site's own temporary directory is used instead" };
  if (/^\$\w+$/.test(value))
    return {
      kind: 'left',
      note: "taken from php-fpm's own environment, which guise does not hand on: write the value",
    };
  return taken(['env', name], value, `env.${name}`);
}

function user({ value }: FpmLine): LineOutcome {
  return taken(['user'], value);
}

function group({ value }: FpmLine, pool: FpmPool): LineOutcome {
  const name = pool.lines.filter(({ key }) => key === 'user').at(-1)?.value ?? '';
  return {
    kind: 'changed',
    note: `the primary group of ${name || 'the user'} is used, and all of its groups; compare it with ${value}`,
  };
}

function chdir({ value }: FpmLine): LineOutcome {
  return value === '/'
    ? { kind: 'left', note: 'scripts start in their own directory' }
    : changed(['root'], value, 'taken for the document root where no virtual host names one');
}

function rlimit(name: 'nofile' | 'core'): LineRule {
  return ({ value }) => {
    const number = value === 'unlimited' ? undefined : Number(value);
    if (number === undefined || !Number.isInteger(number))
      return { kind: 'left', note: `no limit: limits.${name}` };
    return taken(['limits', name], number);
  };
}

const sizing = left('guise sizes pools by demand');
const statusPage = left('guise has a status of its own: guise status');
const socket = left("guise's own socket is used, and only the web server may connect");

export const fpmLines: Readonly<Partial<Record<string, LineRule>>> = {
  user,
  group,
  listen: left("guise's own socket is used: guise web prints what the web server must say"),
  'listen.backlog': socket,
  'listen.owner': socket,
  'listen.group': socket,
  'listen.mode': socket,
  'listen.acl_users': socket,
  'listen.acl_groups': socket,
  'listen.allowed_clients': socket,
  'listen.setfib': socket,
  prefix: left('paths are absolute'),
  'process.priority': whole(['nice'], -20),
  'process.dumpable': left('workers are never dumpable'),
  pm: left('guise starts workers by demand, as ondemand does'),
  'pm.max_children': whole(['max_workers'], 1),
  'pm.start_servers': sizing,
  'pm.min_spare_servers': sizing,
  'pm.max_spare_servers': sizing,
  'pm.max_spawn_rate': sizing,
  'pm.process_idle_timeout': ({ value }) =>
    taken(['idle_timeout'], /^\d+$/.test(value) ? `${value}s` : value),
  'pm.max_requests': whole(['max_requests'], 0),
  'pm.status_path': statusPage,
  'pm.status_listen': statusPage,
  'ping.path': statusPage,
  'ping.response': statusPage,
  'access.log': requestLog,
  'access.format': requestLog,
  'access.suppress_path': requestLog,
  slowlog: slowLog,
  request_slowlog_timeout: slowAfter,
  request_slowlog_trace_depth: slowLog,
  request_terminate_timeout: timeLimit,
  request_terminate_timeout_track_finished: left(
    'the limit counts until everything that the script started has ended',
  ),
  rlimit_files: rlimit('nofile'),
  rlimit_core: rlimit('core'),
  chroot: left('sites are confined by Landlock instead'),
  chdir,
  catch_workers_output: left("PHP's errors go to the site's own log"),
  decorate_workers_output: left("PHP's errors go to the site's own log"),
  clear_env: left('the environment is always clear'),
  'security.limit_extensions': ({ value }) => {
    const suffixes = value.split(/[\s,]+/).filter((word) => word !== '');
    return suffixes.length > 0 && suffixes.every((word) => /^\.[A-Za-z0-9]{1,20}$/.test(word))
      ? taken(['suffixes'], suffixes, `suffixes = ${suffixes.join(' ')}`)
      : { kind: 'left', note: 'only files that end with .php run' };
  },
  apparmor_hat: left('sites are confined by Landlock instead'),
  env: variable,
  php_value: phpSetting('set', false),
  php_flag: phpSetting('set', true),
  php_admin_value: phpSetting('lock', false),
  php_admin_flag: phpSetting('lock', true),
};
