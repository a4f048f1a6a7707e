/** Reads the file of one site: safely opened, its shape checked, layered over the defaults, checked against the system. */

import { basename } from 'node:path';
import type { Config } from '../config/config.js';
import { problemsOf } from '../config/explain.js';
import type { Problem } from '../config/problem.js';
import {
  exposedSecret,
  parseToml,
  readTomlFile,
  type TomlFile,
  type TomlReading,
} from '../config/toml-file.js';
import { layer } from './defaults.js';
import { keysOfPhp } from './program.js';
import { isSiteName, siteSchema } from './schema.js';
import type { Site } from './site.js';
import { checkAgainstSystem } from './system.js';

/** A site that does not run because its file is wrong. Other sites are not touched by it. */
export interface Parked {
  readonly name: string;
  readonly file: string;
  readonly problems: readonly Problem[];
}

export type SiteReading = { readonly site: Site } | { readonly parked: Parked };

export function readSiteFile(config: Config, file: string): SiteReading {
  return check(config, file, readTomlFile(file));
}

/** The same for text that is not yet in its file: nothing is written before it has passed every check. */
export function checkSiteText(config: Config, file: string, text: string): SiteReading {
  return check(config, file, parseToml(file, text, 0o600));
}

function check(config: Config, file: string, reading: TomlReading): SiteReading {
  const fallback = basename(file, '.toml');
  if ('problem' in reading) return { parked: { name: fallback, file, problems: [reading.problem] } };
  const { toml } = reading;
  const name = typeof toml.raw.name === 'string' && isSiteName(toml.raw.name) ? toml.raw.name : fallback;
  const checked = siteSchema.safeParse(toml.raw);
  if (!checked.success) {
    const problems = problemsOf(checked.error, { ...toml, schema: siteSchema });
    return { parked: { name, file, problems } };
  }
  const idle = toml.raw.command === undefined ? [] : keysOfPhp(toml);
  if (idle.length > 0) return { parked: { name, file, problems: idle } };
  const result = checkAgainstSystem(config, layer(checked.data, config.defaults), toml);
  const open = openSecret(toml);
  if (!Array.isArray(result) && open === undefined) return { site: result };
  const problems = [...(Array.isArray(result) ? result : []), ...(open === undefined ? [] : [open])];
  return { parked: { name, file, problems } };
}

function openSecret(toml: TomlFile): Problem | undefined {
  const afterwards = `guise site set ${basename(toml.file, '.toml')} --rotate-key`;
  return exposedSecret(toml, ['key'], afterwards) ?? exposedSecret(toml, ['old_keys'], afterwards);
}
