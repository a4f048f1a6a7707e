/**
 * The demo itself: two users, an instance of guise with a site for each, and a private Apache with a port for each
 * site. Every step first says how it is undone.
 */

import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { startApache } from './apache.js';
import { guiseSays, type Instance, layOut, startDaemon } from './daemon.js';
import { demoPage } from './page.js';
import { freePorts } from './ports.js';
import type { Undo } from './undo.js';
import { ensureUser, idsOf } from './users.js';

export interface DemoSite {
  readonly name: string;
  readonly user: string;
  readonly mode: 'pool' | 'per-request';
  readonly port: number;
}

export interface Demo {
  readonly instance: Instance;
  readonly sites: readonly DemoSite[];
  /** The web server's process. */
  readonly apachePid: number;
  /** The daemon's process. */
  readonly masterPid: number;
}

/** System users have low numbers, which guise refuses by default. */
const toml = '[limits]\nmin_uid = 100\nmin_gid = 100';
const routerUser = 'guise';

/** Builds everything and starts it. Throws GuiseError when a step fails; what was done until then is in `undo`. */
export async function buildDemo(undo: Undo, say: (line: string) => void): Promise<Demo> {
  const [portA = 0, portB = 0] = await freePorts(2);
  const sites: DemoSite[] = [
    { name: 'demo-a', user: 'guise-demo-a', mode: 'pool', port: portA },
    { name: 'demo-b', user: 'guise-demo-b', mode: 'per-request', port: portB },
  ];

  say(`users ${routerUser}, ${sites.map((site) => site.user).join(', ')}`);
  await ensureUser({ name: routerUser, groups: [], system: true }, undo);
  for (const site of sites) {
    await ensureUser({ name: site.user, groups: [`${site.user}-friends`], system: true }, undo);
  }

  const directory = mkdtempSync('/tmp/guise-quickstart-');
  undo.push(`remove ${directory}`, () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  say(`an instance of guise in ${directory}`);
  const instance = layOut(directory, toml);
  for (const site of sites) await addSite(instance, site);

  say('guise daemon');
  const daemon = await startDaemon(instance, `${directory}/daemon.log`);
  undo.push('stop guise', () => daemon.stop());

  say('a private Apache (event MPM)');
  const configuration = await Promise.all(sites.map((site) => virtualHost(instance, site)));
  const apache = await startApache({
    directory: `${directory}/apache`,
    mpm: 'event',
    modules: [],
    ports: sites.map((site) => site.port),
    configuration: configuration.join('\n'),
  });
  undo.push('stop Apache', () => apache.stop());
  return { instance, sites, apachePid: apache.pid, masterPid: daemon.pid };
}

/** A home with a document root and a file that only the site's user may read. */
async function addSite(instance: Instance, site: DemoSite): Promise<void> {
  const { uid, gid } = await idsOf(site.user);
  const home = `${instance.directory}/home/${site.name}`;
  const root = `${home}/www`;
  mkdirSync(root, { recursive: true, mode: 0o755 });
  writeFileSync(`${root}/index.php`, demoPage, { mode: 0o644 });
  writeFileSync(`${home}/secret.txt`, `for ${site.user} only\n`, { mode: 0o600 });
  for (const path of [home, root, `${root}/index.php`, `${home}/secret.txt`]) chownSync(path, uid, gid);
  await guiseSays(instance, [
    'site',
    'add',
    site.name,
    '--user',
    site.user,
    '--root',
    root,
    '--mode',
    site.mode,
  ]);
}

/** What `guise web apache` prints for the site, on the site's own port. */
function virtualHost(instance: Instance, site: DemoSite): Promise<string> {
  return guiseSays(instance, ['web', 'apache', site.name, '--listen', `127.0.0.1:${site.port}`]);
}
