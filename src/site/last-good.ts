/**
 * The text that each site's file had when it was last right. Where the file is wrong later, its site runs on as
 * that text says, under today's floors, defaults and users: what would not be allowed to run now does not run on.
 */

import type { Config } from '../config/config.js';
import { checkSiteText } from './read.js';
import type { Site } from './site.js';

export class LastGood {
  readonly #texts = new Map<string, string>();

  remember(file: string, text: string): void {
    this.#texts.set(file, text);
  }

  /** The site as its file last said it; undefined where it never was right, or would be wrong today. */
  find(config: Config, file: string): Site | undefined {
    const text = this.#texts.get(file);
    if (text === undefined) return undefined;
    const reading = checkSiteText(config, file, text);
    return 'site' in reading ? reading.site : undefined;
  }

  forget(file: string): void {
    this.#texts.delete(file);
  }

  /** A file that has gone takes its past with it. */
  keepOnly(files: readonly string[]): void {
    if (this.#texts.size === 0) return;
    const present = new Set(files);
    for (const file of this.#texts.keys()) if (!present.has(file)) this.#texts.delete(file);
  }
}
