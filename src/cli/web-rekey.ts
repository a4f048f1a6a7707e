import type { Command } from 'commander';
import { readClientConfig } from '../config/config.js';
import { seenHosts } from '../doctor/web-view.js';
import { GuiseError } from '../error.js';
import { readSites } from '../site/registry.js';
import { webConfigs } from '../web/find-config.js';
import { type Mended, rekey } from '../web/rekey.js';
import type { Context } from './context.js';
import { addWebFiles, demandRoot, type WebOptions } from './doctor.js';
import { json } from './terminal.js';

export function addWebRekey(parent: Command, context: Context): void {
  const command = parent
    .command('rekey <name>')
    .description("Put the site's key into every virtual host that hands its scripts to guise.")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Reads Apache's and nginx's configuration with everything that it includes, finds the hosts of the site by name or root,
and changes only the lines with the key; files become unreadable for others. Reload the web server afterwards.

Example:
  guise site set example.com --rotate-key && guise web rekey example.com && systemctl reload apache2`,
    );
  addWebFiles(command).action((name: string, options: WebOptions & { json?: boolean }) => {
    demandRoot("the web server's files are root's");
    const mended = change(context.configFile(), name, options);
    context.terminal.out(options.json ? json({ mended }) : describe(name, mended));
  });
}

function change(asked: string | undefined, name: string, files: WebOptions): Mended[] {
  const config = readClientConfig(asked);
  const { sites } = readSites(config);
  const site = sites.find((one) => one.name === name || one.aliases.includes(name));
  const [key] = site?.keys ?? [];
  if (site === undefined || key === undefined) {
    const text = site === undefined ? `there is no site ${JSON.stringify(name)}` : `${name} has no key`;
    const remedy = site === undefined ? 'guise site list' : `guise site set ${name} --rotate-key`;
    throw new GuiseError('SITE_UNKNOWN', text, { remedy });
  }
  const webs = webConfigs(files);
  const hosts = seenHosts({ config, sites, webs }).filter(
    (seen) => seen.site === site && seen.toGuise.length > 0,
  );
  if (hosts.length === 0) {
    const looked = webs.map(({ file }) => file).join(', ') || 'no configuration';
    throw new GuiseError('SITE_UNKNOWN', `no virtual host hands scripts of ${name} to guise (${looked})`, {
      remedy: `guise web apache ${name}   # prints one; --apache and --nginx name other files`,
    });
  }
  return rekey(
    hosts.map(({ host }) => host),
    key,
  );
}

function describe(name: string, mended: readonly Mended[]): string {
  if (mended.length === 0) return `every host of ${name} sends its key already`;
  const lines = mended.map(({ file, line, what }) => `${file}:${line}: key ${what}`);
  return [...lines, 'Now reload the web server: systemctl reload apache2 (or nginx)'].join('\n');
}
