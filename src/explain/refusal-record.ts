/** Looks up the line that guise.log has for a refusal, by the id that the visitor was shown. */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Config } from '../config/config.js';
import type { Finding } from '../config/problem.js';
import { errorCode } from '../config/toml-file.js';
import { GuiseError, messageOf } from '../error.js';
import { userByName } from '../os/identity.js';
import { type RefusalReason, refusalKinds } from '../router/refusals.js';
import { readSites } from '../site/registry.js';
import { findingOf } from './step.js';

export interface RefusalRecord {
  readonly id: string;
  readonly time: string;
  readonly reason: RefusalReason;
  readonly status: number;
  readonly site?: string;
  readonly found?: number;
  readonly script?: string;
  readonly uri?: string;
  readonly host?: string;
  readonly client?: string;
}

export const idPattern = /^[0-9a-f]{12}$/;

/**
 * @returns undefined when the log has no such line: it was rotated away, or left out because there were too many
 * @throws GuiseError CONFIG_UNREADABLE when the log cannot be read
 */
export async function findRefusal(config: Config, id: string): Promise<RefusalRecord | undefined> {
  const file = `${config.paths.log}/guise.log`;
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      if (!line.includes(id)) continue;
      const record = readRecord(line);
      if (record?.id === id) return record;
    }
  } catch (thrown) {
    const remedy = errorCode(thrown) === 'EACCES' ? { remedy: 'run this as root' } : {};
    throw new GuiseError('CONFIG_UNREADABLE', `the log cannot be read: ${messageOf(thrown)}`, {
      file,
      ...remedy,
    });
  }
  return undefined;
}

/** @returns undefined when it is no refusal's line, of guise.log or of a ledger */
export function readRecord(line: string): RefusalRecord | undefined {
  try {
    const record = JSON.parse(line) as RefusalRecord;
    return typeof record.reason === 'string' && Object.hasOwn(refusalKinds, record.reason)
      ? record
      : undefined;
  } catch {
    return undefined;
  }
}

/** The same words that a dry run would have, with what the log knows put in. */
export function recordFinding(config: Config, record: RefusalRecord): Finding {
  const site = readSites(config).sites.find(({ name }) => name === record.site);
  const user = site === undefined ? undefined : userByName(site.user.name);
  return findingOf(record.reason, record.found, {
    ...(record.script === undefined ? {} : { FILE: record.script }),
    ...(record.site === undefined ? {} : { SITE: record.site }),
    ...(site === undefined ? {} : { ROOT: site.root }),
    ...(user === undefined ? {} : { USER: user.name }),
  });
}
