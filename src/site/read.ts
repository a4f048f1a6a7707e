/** Reads the file of one site: safely opened, its shape checked, layered over the defaults, checked against the system. */

import { basename } from 'node:path';
import { z } from 'zod';
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
import { isSiteName, type SiteFile, siteSchema } from './schema.js';
import type { Site } from './site.js';
import { checkAgainstSystem } from './system.js';
import type { SystemView } from './system-view.js';

/** A site that does not run because its file is wrong. Other sites are not touched by it. */
export interface Parked {
  readonly name: string;
  readonly file: string;
  readonly problems: readonly Problem[];
}

/** `text`: what the file said, where it has just been read. */
export type SiteReading = { readonly site: Site; readonly text?: string } | { readonly parked: Parked };

/** @param view what is known of the system already, when many sites are read at once */
export function readSiteFile(config: Config, file: string, view?: SystemView): SiteReading {
  return check(config, file, readTomlFile(file), view);
}

/** The same for text that is not yet in its file: nothing is written before it has passed every check. */
export function checkSiteText(config: Config, file: string, text: string): SiteReading {
  return check(config, file, parseToml(file, text, 0o600));
}

function check(config: Config, file: string, reading: TomlReading, view?: SystemView): SiteReading {
  const fallback = basename(file, '.toml');
  if ('problem' in reading) return { parked: { name: fallback, file, problems: [reading.problem] } };
  const { toml } = reading;
  const name = typeof toml.raw.name === 'string' && isSiteName(toml.raw.name) ? toml.raw.name : fallback;
  const checked = shapeOf(toml.raw).safeParse(toml.raw);
  if (!checked.success) {
    const problems = problemsOf(checked.error, {
      file,
      places: toml.places,
      raw: toml.raw,
      schema: siteSchema,
    });
    return { parked: { name, file, problems } };
  }
  const idle = toml.raw.command === undefined ? [] : keysOfPhp(toml);
  if (idle.length > 0) return { parked: { name, file, problems: idle } };
  const result = checkAgainstSystem(config, layer(checked.data, config.defaults), toml, view);
  const open = openSecret(toml);
  if (!Array.isArray(result) && open === undefined) return { site: result, text: toml.text };
  const problems = [...(Array.isArray(result) ? result : []), ...(open === undefined ? [] : [open])];
  return { parked: { name, file, problems } };
}

/** The schema as far as it concerns the keys that are there: of forty most files have four, and every key costs. */
function shapeOf(raw: Readonly<Record<string, unknown>>): z.ZodType<SiteFile> {
  const keys = Object.entries(siteSchema.shape).filter(([key]) => key in needed || Object.hasOwn(raw, key));
  const name = keys.map(([key]) => key).join(' ');
  const known = shapes.get(name);
  if (known !== undefined) return known;
  if (shapes.size >= mostShapes) return siteSchema;
  // Keys that are not there are optional, so what comes out is the same.
  const shape = z.strictObject(Object.fromEntries(keys)) as unknown as z.ZodType<SiteFile>;
  shapes.set(name, shape);
  return shape;
}

const needed = { name: true, root: true, user: true };
const shapes = new Map<string, z.ZodType<SiteFile>>();
/** Sites that are alike have the same keys; whoever makes each different does not fill the memory. */
const mostShapes = 100;

function openSecret(toml: TomlFile): Problem | undefined {
  const afterwards = `guise site set ${basename(toml.file, '.toml')} --rotate-key`;
  return exposedSecret(toml, ['key'], afterwards) ?? exposedSecret(toml, ['old_keys'], afterwards);
}
