/** Where the web servers' configuration lies on this machine, unless somebody says so. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { GuiseError } from '../error.js';
import { apacheConfig } from './apache-hosts.js';
import type { WebConfig } from './host.js';
import { nginxConfig } from './nginx-hosts.js';

/** Main files, as named on the command line. Where one is named, only those that are named are read. */
export interface WebFiles {
  readonly apache?: readonly string[] | undefined;
  readonly nginx?: readonly string[] | undefined;
}

const usual = {
  apache: ['/etc/apache2/apache2.conf', '/etc/httpd/conf/httpd.conf', '/usr/local/apache2/conf/httpd.conf'],
  nginx: ['/etc/nginx/nginx.conf', '/usr/local/nginx/conf/nginx.conf', '/usr/local/etc/nginx/nginx.conf'],
};

/** @throws GuiseError USAGE for a file that was named and is not there */
export function webConfigs(files: WebFiles = {}): WebConfig[] {
  const isNamed = files.apache !== undefined || files.nginx !== undefined;
  const found = (kind: keyof typeof usual): string[] => {
    if (isNamed) return (files[kind] ?? []).map((file) => demandFile(resolve(file)));
    return usual[kind].filter((file) => existsSync(file));
  };
  return [...found('apache').map(apacheConfig), ...found('nginx').map(nginxConfig)];
}

/** @throws GuiseError USAGE when it is not there */
export function demandFile(file: string): string {
  if (existsSync(file)) return file;
  throw new GuiseError('USAGE', `there is no ${file}`, { file, remedy: `ls -l ${file}` });
}
