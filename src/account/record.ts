/**
 * The lines of the ledger: one JSON object for a request. What a visitor sent is only ever a string in them, cut to a
 * bound, and no byte of it can end a line or move a terminal's cursor. docs/reference/ledger.md is tested against
 * `recordFields`.
 */

import type { Outcome } from './outcome.js';

/** What the web server said of a request: any text, or nothing. */
export interface RequestText {
  readonly method?: string | undefined;
  readonly serverName?: string | undefined;
  readonly uri?: string | undefined;
  readonly scriptFilename?: string | undefined;
  readonly remoteAddr?: string | undefined;
}

/** The fields of a line in their order. */
export const recordFields = [
  'time',
  'id',
  'site',
  'uid',
  'client',
  'method',
  'host',
  'uri',
  'script',
  'status',
  'queueMs',
  'runMs',
  'userMs',
  'systemMs',
  'peakKb',
  'bytesIn',
  'bytesOut',
  'pid',
  'endedBy',
  'byUid',
  'reason',
  'lane',
  'leftOut',
] as const;

/** In characters, of what a visitor chooses. */
export const textMax = { client: 64, method: 32, host: 255, uri: 2048, script: 1024 } as const;

/** @param leftOut so many lines of this site before this one were not written */
export function recordLine(
  timeMs: number,
  outcome: Outcome,
  request: RequestText | undefined,
  leftOut: number,
): string {
  const { reason, byUid } = outcome;
  return escaped(
    JSON.stringify({
      time: new Date(timeMs).toISOString(),
      id: outcome.id,
      site: outcome.site,
      uid: outcome.uid,
      ...requestFields(request),
      status: outcome.status,
      queueMs: rounded(outcome.queueMs),
      runMs: rounded(outcome.runMs),
      userMs: rounded(outcome.cpuUserUs / 1000),
      systemMs: rounded(outcome.cpuSystemUs / 1000),
      peakKb: outcome.maxRssKb,
      bytesIn: outcome.bytesIn,
      bytesOut: outcome.bytesOut,
      pid: outcome.pid,
      endedBy: outcome.endedBy,
      ...(byUid === undefined ? {} : { byUid }),
      ...(reason === '' ? {} : { reason }),
      ...(outcome.isDirect === true ? { lane: 'direct' } : {}),
      ...(leftOut === 0 ? {} : { leftOut }),
    }),
  );
}

/** The fields of a line of the slow log, in their order. */
export const slowFields = [
  'time',
  'id',
  'site',
  'uid',
  'client',
  'method',
  'host',
  'uri',
  'script',
  'runMs',
  'pid',
  'process',
  'stack',
  'noStack',
  'leftOut',
] as const;

export interface SlowFacts {
  readonly id: string;
  readonly site: string;
  readonly uid: number;
  readonly runMs: number;
  readonly pid: number;
  readonly process: Readonly<Record<string, string | number>>;
  /** Calls of PHP functions, the innermost first. */
  readonly stack?: readonly string[];
  /** Why there is no stack. */
  readonly noStack?: string;
}

/** @param leftOut as for `recordLine` */
export function slowLine(
  timeMs: number,
  { id, site, uid, ...measured }: SlowFacts,
  request: RequestText | undefined,
  leftOut: number,
): string {
  const time = new Date(timeMs).toISOString();
  const whole = { time, id, site, uid, ...requestFields(request), ...measured };
  return escaped(JSON.stringify({ ...whole, ...(leftOut === 0 ? {} : { leftOut }) }));
}

/** What is shown of a request: undefined fields are left out by JSON.stringify. */
export function requestFields(request: RequestText | undefined): Record<string, string | undefined> {
  if (request === undefined) return {};
  return {
    client: request.remoteAddr?.slice(0, textMax.client),
    method: request.method?.slice(0, textMax.method),
    host: request.serverName?.slice(0, textMax.host),
    uri: request.uri?.slice(0, textMax.uri),
    script: request.scriptFilename?.slice(0, textMax.script),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/**
 * What JSON leaves as it is and terminals or editors act upon: DEL and the C1 control characters, line and paragraph
 * separators, marks that turn the direction of text, and the mark of byte order.
 */
const loud = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** @param json a text of JSON, in which such a character can only be part of a string */
export function escaped(json: string): string {
  return json.replace(loud, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
