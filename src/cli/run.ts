import type { Command } from 'commander';
import { type Config, readConfig } from '../config/config.js';
import { formatProblem } from '../config/problem.js';
import { GuiseError } from '../error.js';
import { launchInSite } from '../master/site-command.js';
import { pidfdOpen, pidfdSignal } from '../os/process.js';
import { becomeSubreaper, type Death, reap } from '../os/reap.js';
import { close } from '../os/socket.js';
import { childrenOf, endChildren } from '../os/tree.js';
import { readSites } from '../site/registry.js';
import type { Site } from '../site/site.js';
import type { Context } from './context.js';

/** Passed on to the command, by their numbers in signal(7). */
const passedOn = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
  SIGCONT: 18,
} as const;

export function addRun(parent: Command, context: Context): void {
  parent
    .command('run <site> <command...>')
    .description(
      'Run a command as a site: its user, groups, limits, confinement, environment and PHP settings.',
    )
    .addHelpText(
      'after',
      `
Write -- before the command, so that its options are not taken for those of guise. It starts in the site's root and
ends with its exit code, or with 128 and the number of the signal that killed it; what it leaves running is ended.
\`php\` and \`php-cgi\` are those of the site, with its settings. Needs root: whoever is the site's user already
can run his commands himself, without the site's limits and confinement.

Examples:
  guise run example.com -- php cron.php
  guise run example.com -- bash`,
    )
    .action(async (name: string, words: string[]) => {
      if (process.geteuid?.() !== 0) {
        throw new GuiseError(
          'NOT_PERMITTED',
          'only root can become the user of a site and confine a command',
          {
            remedy: "run this as root; the site's own user can run the command itself",
          },
        );
      }
      const config = readConfig(context.configFile());
      context.exitWith(await runInSite(config, siteNamed(config, name), words));
    });
}

function siteNamed(config: Config, name: string): Site {
  const { sites, parked } = readSites(config);
  const site = sites.find((one) => one.name === name || one.aliases.includes(name));
  if (site !== undefined) return site;
  const wrong = parked.find((one) => one.name === name);
  if (wrong !== undefined)
    throw new GuiseError('SITE_INVALID', wrong.problems.map(formatProblem).join('\n'), { file: wrong.file });
  throw new GuiseError('SITE_UNKNOWN', `there is no site ${JSON.stringify(name)}`, {
    remedy: 'guise site list',
  });
}

/** The exit code of the command, once nothing of it is left. */
async function runInSite(config: Config, site: Site, words: readonly string[]): Promise<number> {
  becomeSubreaper();
  let pidfd = -1;
  // Before there is a command: a signal that comes with its first word would end this process alone.
  for (const [name, number] of Object.entries(passedOn))
    process.on(name, () => {
      pidfdSignal(pidfd, number);
    });
  const pid = launchInSite(config, site, words, process.env.TERM);
  pidfd = pidfdOpen(pid);
  const death = await deathOf(pid);
  close(pidfd);
  // What it has left is below us, the nearest subreaper.
  while (childrenOf(process.pid).length > 0) {
    endChildren(process.pid, { spare: [], uids: [], budgetMs: 20 });
    while (reap() !== undefined);
  }
  return death.signal === null ? (death.exitCode ?? 0) : 128 + death.signal;
}

function deathOf(pid: number): Promise<Death> {
  return new Promise((resolve) => {
    const look = (): void => {
      for (let death = reap(); death !== undefined; death = reap()) {
        if (death.pid !== pid) continue;
        clearInterval(awake);
        process.off('SIGCHLD', look);
        resolve(death);
      }
    };
    // Nothing else keeps this process from ending; and a death before the handler stood is found.
    const awake = setInterval(look, 1000);
    process.on('SIGCHLD', look);
    look();
  });
}
