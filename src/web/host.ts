/** What a web server's virtual host says that matters to guise, whichever server it is. */

import type { ConfigTree, Directive } from './config-source.js';

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Somewhere that scripts are handed to. */
export interface Pass extends Place {
  /** The path of a Unix socket, or `host:port`. */
  readonly target: string;
  /** Apache only: by a handler, or by a path that becomes a URL. */
  readonly how: 'handler' | 'path';
}

export interface SentKey extends Place {
  readonly key: string;
}

/** Where the host listens. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

export interface WebHost extends Place {
  readonly server: WebServerKind;
  /** Host names in lower case; none for a host that takes what no other does. */
  readonly names: readonly string[];
  readonly listens: readonly Listening[];
  readonly root?: string;
  readonly passes: readonly Pass[];
  readonly keys: readonly SentKey[];
  /** Apache: the user of mpm-itk or suexec. */
  readonly user?: Place & { readonly name: string; readonly by: string };
  /** Apache: lines that let an .htaccess beneath the root set handlers. */
  readonly fileInfo: readonly Place[];
  /** Apache: `ProxyFCGIBackendType GENERIC`. */
  readonly generic?: Place;
}

export type WebServerKind = 'apache' | 'nginx';

export interface WebModule extends Place {
  readonly name: string;
}

/** The configuration of one web server. */
export interface WebConfig {
  readonly server: WebServerKind;
  readonly file: string;
  readonly tree: ConfigTree;
  readonly hosts: readonly WebHost[];
  /** Apache's loaded modules, without `_module`. */
  readonly modules: readonly WebModule[];
}

/** Every directive with one of these names, at any depth. */
export function everywhere(directives: readonly Directive[], ...names: readonly string[]): Directive[] {
  return directives.flatMap((directive) => [
    ...(names.includes(directive.name) ? [directive] : []),
    ...everywhere(directive.inside ?? [], ...names),
  ]);
}

/** The last of several, as it wins in most cases. */
export function lastOf(directives: readonly Directive[], name: string): Directive | undefined {
  return directives.filter((directive) => directive.name === name).at(-1);
}

/** Whether a path is another one or lies beneath it, by components. */
export function isWithin(path: string, directory: string): boolean {
  const base = directory.replace(/\/+$/, '');
  return path === base || path.startsWith(`${base}/`);
}
