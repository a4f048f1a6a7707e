/** The server blocks of an nginx: names, roots, where scripts go, which key is sent. */

import type { Directive } from './config-source.js';
import {
  everywhere,
  type Listening,
  lastOf,
  type Pass,
  type SentKey,
  type WebConfig,
  type WebHost,
} from './host.js';
import { readNginx } from './nginx-tree.js';

export function nginxConfig(file: string): WebConfig {
  const tree = readNginx(file);
  const upstreams = new Map(
    everywhere(tree.directives, 'upstream').map(({ args, inside = [] }) => [
      args[0] ?? '',
      inside.filter(({ name }) => name === 'server').map((server) => server.args[0] ?? ''),
    ]),
  );
  const hosts = tree.directives
    .filter(({ name }) => name === 'http')
    .flatMap(({ inside: http = [] }) =>
      http.filter(({ name }) => name === 'server').map((section) => hostOf(section, http, upstreams)),
    );
  return { server: 'nginx', file, tree, hosts, modules: [] };
}

type Upstreams = ReadonlyMap<string, readonly string[]>;

function hostOf(section: Directive, http: readonly Directive[], upstreams: Upstreams): WebHost {
  const own = section.inside ?? [];
  const root = (lastOf(own, 'root') ?? lastOf(http, 'root'))?.args[0]?.replace(/(?<=.)\/+$/, '');
  const listens = own.filter(({ name }) => name === 'listen').map(listening);
  const found = handed(own, keysAt(http, []), upstreams);
  return {
    server: 'nginx',
    file: section.file,
    line: section.line,
    names: own
      .filter(({ name }) => name === 'server_name')
      .flatMap(({ args }) =>
        args.filter((name) => name !== '_' && name !== '').map((name) => name.toLowerCase()),
      ),
    listens: listens.length === 0 ? [{ host: '*', port: 80, secure: false }] : listens,
    ...(root === undefined ? {} : { root }),
    passes: found.flatMap(({ passes }) => passes),
    keys: found.flatMap(({ keys }) => keys),
    fileInfo: [],
  };
}

interface Handed {
  readonly passes: readonly Pass[];
  readonly keys: readonly SentKey[];
}

/** Every fastcgi_pass with the parameters that hold there: those of the innermost level that has any. */
function handed(level: readonly Directive[], outer: readonly SentKey[], upstreams: Upstreams): Handed[] {
  const keys = keysAt(level, outer);
  const passes = level
    .filter(({ name }) => name === 'fastcgi_pass')
    .flatMap(({ args, file, line }) => {
      const to = (args[0] ?? '').replace(/^fastcgi:\/\//, '');
      return (upstreams.get(to) ?? [to]).map((one) => ({
        target: one.replace(/^unix:/, '').replace(/:$/, ''),
        how: 'handler' as const,
        file,
        line,
      }));
    });
  const inner = level.flatMap(({ inside }) => (inside === undefined ? [] : handed(inside, keys, upstreams)));
  return passes.length === 0 ? inner : [{ passes, keys }, ...inner];
}

function keysAt(level: readonly Directive[], outer: readonly SentKey[]): readonly SentKey[] {
  const parameters = level.filter(({ name }) => name === 'fastcgi_param');
  if (parameters.length === 0) return outer;
  return parameters
    .filter(({ args }) => args[0] === 'GUISE_KEY')
    .map(({ args, file, line }) => ({ key: args[1] ?? '', file, line }));
}

function listening({ args }: Directive): Listening {
  const [, host, port] = /^(?:(\[[^\]]+\]|[^:]*):)?(\d+)$/.exec(args[0] ?? '') ?? [undefined, args[0], '80'];
  return { host: host || '*', port: Number(port), secure: args.includes('ssl') };
}
