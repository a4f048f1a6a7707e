/**
 * From php-fpm's pools to sites. A pool names a user and limits, but neither a host nor a document root: those come from
 * the virtual hosts that hand their scripts to the pool's socket, or from the command line.
 */

import { plain } from '../doctor/web-view.js';
import { isSiteName } from '../site/schema.js';
import type { WebConfig, WebHost } from '../web/host.js';
import type { FpmLine, FpmPool, FpmReading } from './fpm-file.js';
import { fpmLines, type LineRule } from './fpm-lines.js';
import { type Fate, type Plan, type PlannedSite, planned } from './plan.js';

export interface FpmOptions {
  /** The document root of pools for which no virtual host was found. */
  readonly root?: string;
}

export function planFpm(reading: FpmReading, webs: readonly WebConfig[], options: FpmOptions): Plan {
  const hosts = webs.flatMap((web) => web.hosts);
  const unread = reading.unread.map(
    ({ file, line, why }): Fate => ({
      file,
      line,
      text: why.slice(0, 120),
      kind: 'left',
      note: 'not understood',
    }),
  );
  const globals = reading.globals.map((line) => fateOf(line, 'left', 'a matter of php-fpm as a whole'));
  return {
    sites: reading.pools.flatMap((pool) => sitesOf(pool, hosts, options)),
    fates: [...globals, ...unread],
  };
}

/** A pool that serves several hosts becomes several sites of one user. */
function sitesOf(pool: FpmPool, hosts: readonly WebHost[], options: FpmOptions): PlannedSite[] {
  const { keys, fates } = readLines(pool);
  const source = `pool ${pool.name} (${pool.file}:${pool.line})`;
  const served = hosts.filter(
    (host) => host.names.length > 0 && host.passes.some(({ target }) => isSame(target, pool.listen)),
  );
  const byName = new Map(served.map((host) => [host.names[0] ?? '', host]));
  if (byName.size === 0) {
    const name = pool.name.toLowerCase();
    return [
      planned(
        source,
        { ...keys, name: isSiteName(name) ? name : undefined, root: options.root ?? keys.root },
        fates,
      ),
    ];
  }
  return [...byName].map(([name, host], index) => {
    const [, ...others] = [...new Set(host.names)];
    const aliases = others.filter(isSiteName);
    const more = { name, root: host.root ?? options.root, ...(aliases.length === 0 ? {} : { aliases }) };
    const from = `${source}, for the host at ${host.file}:${host.line}`;
    // The lines of the pool are told once.
    return planned(from, { ...keys, ...more }, index === 0 ? fates : []);
  });
}

function isSame(target: string, listen: string | undefined): boolean {
  if (listen === undefined) return false;
  if (target.startsWith('/')) return listen.startsWith('/') && plain(target) === plain(listen);
  const port = (address: string): string => address.replace(/^.*:/, '');
  return !listen.startsWith('/') && port(target) === port(listen);
}

interface Read {
  readonly keys: Readonly<Record<string, unknown>>;
  readonly fates: readonly Fate[];
}

/** Every line in turn; a later one wins, as in php-fpm. */
function readLines(pool: FpmPool): Read {
  const keys: Record<string, unknown> = {};
  const fates = pool.lines.map((line): Fate => {
    const rule: LineRule | undefined = fpmLines[line.key];
    if (rule === undefined) return fateOf(line, 'left', 'not known to guise');
    const outcome = rule(line, pool);
    for (const [path, value] of outcome.set ?? []) place(keys, path, value);
    return fateOf(line, outcome.kind, outcome.note);
  });
  return { keys, fates };
}

/** Sets a key that may lie in a table: ['php_ini', 'set', 'memory_limit']. */
function place(keys: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    keys[first] = value;
    return;
  }
  const inner = (keys[first] ?? {}) as Record<string, unknown>;
  keys[first] = inner;
  place(inner, rest, value);
}

export function fateOf(line: FpmLine, kind: Fate['kind'], note: string): Fate {
  const name = line.name === undefined ? '' : `[${line.name}]`;
  const text = `${line.key}${name} = ${line.value}`.slice(0, 160);
  return { file: line.file, line: line.line, text, kind, note };
}
