/** From Apache's virtual hosts to sites: names, document root, and the user of mpm-itk or suexec. */

import { isSiteName } from '../site/schema.js';
import type { Directive } from '../web/config-source.js';
import { everywhere, type WebConfig } from '../web/host.js';
import { type Fate, type FateKind, type Plan, type PlannedSite, planned } from './plan.js';

export function planApache({ tree, hosts }: WebConfig): Plan {
  const sections = everywhere(tree.directives, 'virtualhost');
  const roots = new Map(hosts.map((host) => [`${host.file}:${host.line}`, host.root]));
  const unread = tree.unread.map(
    ({ file, line, why }): Fate => ({ file, line, text: why.slice(0, 120), kind: 'left', note: 'not read' }),
  );
  // The same host stands there twice where it has TLS: the first has told everything.
  const seen = new Map<string, PlannedSite>();
  for (const section of sections) {
    const site = siteOf(section, roots.get(`${section.file}:${section.line}`));
    const name = typeof site.table?.name === 'string' ? site.table.name : site.source;
    const before = seen.get(name);
    seen.set(
      name,
      before === undefined ? site : { ...before, fates: [...before.fates, ...again(site.fates, name)] },
    );
  }
  return { sites: [...seen.values()], fates: unread };
}

function again(fates: readonly Fate[], name: string): Fate[] {
  return fates.map((fate) =>
    fate.kind === 'left' ? fate : { ...fate, note: `the same site ${name} once more` },
  );
}

function siteOf(section: Directive, root: string | undefined): PlannedSite {
  const keys: Record<string, unknown> = {};
  const aliases: string[] = [];
  const fates = lines(section.inside ?? []).map((line): Fate => {
    const [kind, note] = fateOf(line, keys, aliases);
    return { file: line.file, line: line.line, text: textOf(line), kind, note };
  });
  if (keys.root === undefined) keys.root = root;
  if (aliases.length > 0) keys.aliases = [...new Set(aliases)].filter((alias) => alias !== keys.name);
  return planned(`the virtual host at ${section.file}:${section.line}`, keys, fates);
}

/** Every line of a host, those of its sections after the section's own. */
function lines(directives: readonly Directive[]): Directive[] {
  return directives.flatMap((one) => [one, ...lines(one.inside ?? [])]);
}

function textOf({ name, args, inside }: Directive): string {
  const text = [name, ...args].join(' ');
  return (inside === undefined ? text : `<${text}>`).slice(0, 160);
}

type Fated = readonly [FateKind, string];

/** Directives that go when guise takes over. */
const replaced: ReadonlySet<string> = new Set([
  ...['sethandler', 'addhandler', 'action', 'fcgidwrapper', 'fcgiwrapper', 'proxypassmatch'],
  ...['proxyfcgibackendtype', 'suphp_usergroup'],
]);

function fateOf(directive: Directive, keys: Record<string, unknown>, aliases: string[]): Fated {
  const { name, args } = directive;
  const [first = ''] = args;
  switch (name) {
    case 'servername':
      return serverName(first, keys);
    case 'serveralias':
      return serverAlias(args, aliases);
    case 'documentroot':
      keys.root = first.replace(/(?<=.)\/+$/, '');
      return ['taken', `root = ${first}`];
    case 'assignuserid':
    case 'suexecusergroup':
      if (first.startsWith('#')) return ['left', 'a number: name the user'];
      keys.user = first;
      return [
        'changed',
        `user = ${first}, with its primary group and all of its groups; compare with ${args[1] ?? 'none'}`,
      ];
    case 'maxclientsvhost':
      return whole(keys, 'max_workers', first, 1);
    case 'nicevalue':
      return whole(keys, 'nice', first, -20);
    case 'php_value':
    case 'php_flag':
      return setting(keys, 'set', args, name.endsWith('flag'));
    case 'php_admin_value':
    case 'php_admin_flag':
      return setting(keys, 'lock', args, name.endsWith('flag'));
    case 'setenv':
      return ['left', 'reaches PHP as before, as a parameter of the request'];
    default:
      return replaced.has(name)
        ? ['changed', 'goes: guise web apache prints what takes its place']
        : ['left', 'stays with Apache'];
  }
}

function serverName(text: string, keys: Record<string, unknown>): Fated {
  const host = text
    .replace(/^[a-z]+:\/\//i, '')
    .replace(/:\d+$/, '')
    .toLowerCase();
  if (!isSiteName(host)) return ['left', 'not a host name that guise can use'];
  keys.name = host;
  return ['taken', `name = ${host}`];
}

function serverAlias(args: readonly string[], aliases: string[]): Fated {
  const good = args.map((alias) => alias.toLowerCase()).filter(isSiteName);
  aliases.push(...good);
  const bad = args.length - good.length;
  if (good.length === 0)
    return ['left', 'names with wildcards stay with Apache; the key tells guise which site it is'];
  return bad === 0 ? ['taken', 'aliases'] : ['changed', `aliases, without ${bad} that guise cannot use`];
}

function whole(keys: Record<string, unknown>, key: string, text: string, least: number): Fated {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) return ['left', `no number that ${key} can have`];
  keys[key] = number;
  return ['taken', `${key} = ${number}`];
}

/** mod_php's directives, which Apache no longer knows without it. */
function setting(
  keys: Record<string, unknown>,
  table: 'set' | 'lock',
  [name = '', value = '']: readonly string[],
  isFlag: boolean,
): Fated {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) return ['left', 'the name of no PHP setting'];
  const tables = (keys.php_ini ?? {}) as Record<string, Record<string, string>>;
  const on = /^(1|on|yes|true)$/i.test(value) ? '1' : '0';
  tables[table] = { ...tables[table], [name]: isFlag ? on : value };
  keys.php_ini = tables;
  return ['taken', `php_ini.${table}.${name}; remove the line from Apache, which knows it only with mod_php`];
}
