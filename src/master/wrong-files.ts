import type { Logger } from 'pino';
import type { Registry } from '../site/registry.js';

/** Says in the log which files are wrong, and what becomes of their sites. */
export function sayWrongFiles(log: Logger, { parked, kept = [] }: Pick<Registry, 'parked' | 'kept'>): void {
  for (const { name, file, problems } of parked) log.error({ site: name, file, problems }, 'site is parked');
  for (const { name, file, problems } of kept) {
    log.error({ site: name, file, problems }, 'file is wrong, site runs on as it was');
  }
}
