import type { Command } from 'commander';
import type { Context } from './context.js';
import { addSiteAdd } from './site-add.js';
import { addSiteList, addSiteShow } from './site-list.js';
import { addSiteRemove } from './site-remove.js';
import { addSiteSet } from './site-set.js';
import { addSiteStanding } from './site-standing.js';

export function addSiteCommands(parent: Command, context: Context): void {
  const site = parent
    .command('site')
    .description('Add, list, show, change, switch off and remove sites.')
    .addHelpText(
      'after',
      `
Every site is one file in the directory of sites (/etc/guise/sites.d/NAME.toml). These commands write and remove
such files through the running daemon, so that they take effect at once and no other site notices.`,
    );
  for (const add of [addSiteAdd, addSiteList, addSiteShow, addSiteSet, addSiteRemove, addSiteStanding])
    add(site, context);
}
