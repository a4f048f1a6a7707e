/**
 * A refusal of the past from the ledgers of sites, for those whom guise.log does not tell it: the users of sites, who
 * cannot read that, and everybody for sites of the direct lane, of whose single refusals it knows nothing.
 */

import { createReadStream, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Config } from '../config/config.js';
import { errorCode } from '../config/toml-file.js';
import { type RefusalRecord, readRecord } from './refusal-record.js';

/** Looks into those that the caller may read. */
export async function findInLedgers(config: Config, id: string): Promise<RefusalRecord | undefined> {
  for (const site of namesIn(`${config.paths.log}/sites`)) {
    const directory = `${config.paths.log}/sites/${site}`;
    for (const file of namesIn(directory).filter((name) => /^requests\.log(\.\d+)?$/.test(name))) {
      const record = await findIn(`${directory}/${file}`, id);
      if (record !== undefined) return record;
    }
  }
  return undefined;
}

async function findIn(path: string, id: string): Promise<RefusalRecord | undefined> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      const record = line.includes(id) ? readRecord(line) : undefined;
      if (record?.id === id) return record;
    }
  } catch (thrown) {
    if (!isHidden(thrown)) throw thrown;
  }
  return undefined;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (thrown) {
    if (isHidden(thrown)) return [];
    throw thrown;
  }
}

/** Somebody else's, or rotated away just now. */
function isHidden(thrown: unknown): boolean {
  return ['EACCES', 'ENOENT', 'ENOTDIR'].includes(errorCode(thrown) ?? '');
}
