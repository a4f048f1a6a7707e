/** The virtual hosts of an Apache: names, roots, where scripts go, which key is sent, what .htaccess may do. */

import { readApache } from './apache-tree.js';
import { type Directive, wildcard } from './config-source.js';
import {
  everywhere,
  isWithin,
  type Listening,
  lastOf,
  type Pass,
  type Place,
  type SentKey,
  type WebConfig,
  type WebHost,
} from './host.js';

export function apacheConfig(file: string): WebConfig {
  const tree = readApache(file);
  const outside = tree.directives.filter(({ name }) => name !== 'virtualhost');
  const listens = outside.filter(({ name }) => name === 'listen').map(({ args }) => listening(args[0] ?? ''));
  const hosts = everywhere(tree.directives, 'virtualhost').map((section) =>
    hostOf(section, outside, listens),
  );
  const main = mainHost(outside, listens, file);
  const modules = everywhere(tree.directives, 'loadmodule').map(({ args, file, line }) => ({
    name: (args[0] ?? '').replace(/_module$/, ''),
    file,
    line,
  }));
  return { server: 'apache', file, tree, hosts: main === undefined ? hosts : [...hosts, main], modules };
}

/** The server outside of every virtual host, when it hands scripts over itself. */
function mainHost(outside: readonly Directive[], listens: readonly Listening[], file: string) {
  const root = lastOf(outside, 'documentroot');
  if (root === undefined) return undefined;
  const section = { name: 'server', args: [], file: root.file, line: root.line, inside: outside };
  const host = hostOf(section, [], listens);
  return host.passes.length === 0 ? undefined : { ...host, listens, file: host.file || file };
}

function hostOf(section: Directive, outside: readonly Directive[], listens: readonly Listening[]): WebHost {
  const own = section.inside ?? [];
  const root = (lastOf(own, 'documentroot') ?? lastOf(outside, 'documentroot'))?.args[0]?.replace(/\/+$/, '');
  const around = outside.filter((directive) => appliesTo(directive, root));
  const secure = everywhere(own, 'sslengine').some(({ args }) => args[0]?.toLowerCase() === 'on');
  const generic = [...everywhere(around, 'proxyfcgibackendtype'), ...everywhere(own, 'proxyfcgibackendtype')]
    .filter(({ args }) => args[0]?.toLowerCase() === 'generic')
    .at(-1);
  const user = own.filter(({ name }) => name === 'assignuserid' || name === 'suexecusergroup').at(-1);
  const names = everywhere(own, 'servername', 'serveralias').flatMap(({ args }) => args.map(hostName));
  return {
    server: 'apache',
    file: section.file,
    line: section.line,
    names,
    listens: section.args.map((text) => ({ ...listening(text, listens), secure })),
    ...(root === undefined ? {} : { root }),
    passes: orElse(passesOf(own), passesOf(around)),
    keys: orElse(keysOf(own), keysOf(around)),
    ...(user === undefined ? {} : { user: userOf(user) }),
    fileInfo: root === undefined ? [] : fileInfoOf([...outside, ...own], root),
    ...(generic === undefined ? {} : { generic: { file: generic.file, line: generic.line } }),
  };
}

/** What stands outside counts for a host unless it is for another directory. */
function appliesTo(directive: Directive, root: string | undefined): boolean {
  if (directive.name !== 'directory') return directive.name !== 'directorymatch';
  return root !== undefined && covers(directive.args[0] ?? '', root);
}

/** `<Directory>` with wildcards for whole components: `/home/*` + `/www`. */
function covers(pattern: string, path: string): boolean {
  const parts = pattern.split('/').filter((part) => part !== '');
  const found = path.split('/').filter((part) => part !== '');
  return (
    parts.length <= found.length && parts.every((part, index) => wildcard(part).test(found[index] ?? ''))
  );
}

function orElse<T>(own: readonly T[], around: readonly T[]): readonly T[] {
  return own.length > 0 ? own : around;
}

const target = /(?:unix:([^|"]+)\||fcgi:\/\/(\[[0-9a-fA-F:.]+\]|[^/:"]+):(\d+))/;

function passesOf(directives: readonly Directive[]): Pass[] {
  const names = ['sethandler', 'proxypass', 'proxypassmatch', 'balancermember'] as const;
  return everywhere(directives, ...names).flatMap(({ name, args, file, line }) => {
    const text = args.join(' ');
    if (!text.includes('fcgi://')) return [];
    const match = target.exec(text);
    const to = match?.[1] ?? (match?.[2] === undefined ? undefined : `${match[2]}:${match[3] ?? ''}`);
    const how = name.startsWith('proxypass') ? 'path' : 'handler';
    return to === undefined ? [] : [{ target: to, how, file, line } as const];
  });
}

/** `ProxyFCGISetEnvIf "true" GUISE_KEY "…"`, or SetEnv, which guise understands too. */
function keysOf(directives: readonly Directive[]): SentKey[] {
  return everywhere(directives, 'proxyfcgisetenvif', 'setenv').flatMap(({ name, args, file, line }) => {
    const [variable, key] = name === 'setenv' ? args : args.slice(1);
    return variable === 'GUISE_KEY' && key !== undefined ? [{ key, file, line }] : [];
  });
}

function userOf({ name, args, file, line }: Directive): NonNullable<WebHost['user']> {
  return { name: args[0] ?? '', by: name === 'assignuserid' ? 'mpm-itk' : 'suexec', file, line };
}

/** The AllowOverride that holds at the root, and those further down, as far as they allow FileInfo. */
function fileInfoOf(directives: readonly Directive[], root: string): Place[] {
  const sections = everywhere(directives, 'directory');
  const here = sections
    .filter(({ args }) => covers(args[0] ?? '', root))
    .sort((a, b) => depth(a) - depth(b))
    .flatMap(({ inside = [] }) => inside.filter(({ name }) => name === 'allowoverride'))
    .slice(-1);
  const below = sections
    .filter(({ args }) => isWithin(args[0] ?? '', root) && !covers(args[0] ?? '', root))
    .flatMap(({ inside = [] }) => inside.filter(({ name }) => name === 'allowoverride'));
  return [...here, ...below]
    .filter(({ args }) => args.some((arg) => /^(all|fileinfo)$/i.test(arg)))
    .map(({ file, line }) => ({ file, line }));
}

function depth({ args }: Directive): number {
  return (args[0] ?? '').split('/').filter((part) => part !== '').length;
}

function hostName(text: string): string {
  return text
    .replace(/^[a-z]+:\/\//i, '')
    .replace(/:\d+$/, '')
    .toLowerCase();
}

/** `*:80`, `127.0.0.1:8080`, `[::1]:80`, `8080`, or an address alone, which takes the port of the first Listen. */
function listening(text: string, listens: readonly Listening[] = []): Listening {
  const match = /^(?:(\[[^\]]+\]|[^:]*):)?(\d+|\*)$/.exec(text);
  const host = match === null ? text : match[1];
  const port = Number(match?.[2]);
  return {
    host: host === undefined || host === '' ? '*' : host,
    port: Number.isInteger(port) ? port : (listens[0]?.port ?? 80),
    secure: port === 443,
  };
}
