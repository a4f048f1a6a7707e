/** One check as it is shown: what was looked at and, where it failed, what was found, expected, and what mends it. */

import { constants } from 'node:fs';
import type { Finding } from '../config/problem.js';
import { formatMode, quoteShell } from '../config/toml-file.js';
import type { SiteState } from '../control/api.js';
import { errnoName } from '../os/errno.js';
import { ownerName } from '../os/identity.js';
import { type FoundKind, fillIn, type Placeholder, refusalTexts } from '../router/refusal-texts.js';
import type { RefusalReason } from '../router/refusals.js';

export interface Step {
  readonly step: string;
  readonly ok: boolean;
  /** What was looked at. */
  readonly about: string;
  /** The refusal that a request would end with, where it is one. */
  readonly reason?: RefusalReason;
  readonly findings?: readonly Finding[];
}

export function passed(step: string, about: string): Step {
  return { step, ok: true, about };
}

export function failed(step: string, about: string, finding: Finding, reason?: RefusalReason): Step {
  return { step, ok: false, about, findings: [finding], ...(reason === undefined ? {} : { reason }) };
}

export type Values = Readonly<Partial<Record<Placeholder, string>>>;

/** The words of a refusal, with what is known put in. Values are quoted for the shell in the remedy only. */
export function findingOf(reason: RefusalReason, found: number | undefined, values: Values): Finding {
  const text = refusalTexts[reason];
  const quoted = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, quoteShell(value)]));
  return {
    message: text.meaning,
    found: found === undefined ? '' : foundText(text.found, found),
    expected: fillIn(text.expected, values),
    remedy: fillIn(text.remedy, quoted),
  };
}

function foundText(kind: FoundKind | undefined, found: number): string {
  switch (kind) {
    case 'errno':
      return `${errnoName(found)}${errnoWords[errnoName(found)] ?? ''}`;
    case 'uid':
      return `owner ${ownerName(found)}`;
    case 'mode':
      return `mode ${formatMode(found)}${fileType(found)}`;
    default:
      return '';
  }
}

const errnoWords: Readonly<Partial<Record<string, string>>> = {
  ENOENT: ' (no such file or directory)',
  EACCES: ' (permission denied)',
  ENOTDIR: ' (a part of the path is no directory)',
  ELOOP: ' (too many symbolic links)',
  ENAMETOOLONG: ' (the path is too long)',
};

/** stat(2): the bits of st_mode that tell what a file is. */
const fileTypes: ReadonlyMap<number, string> = new Map([
  [constants.S_IFIFO, ', a FIFO'],
  [constants.S_IFCHR, ', a character device'],
  [constants.S_IFDIR, ', a directory'],
  [constants.S_IFBLK, ', a block device'],
  [constants.S_IFSOCK, ', a socket'],
]);

function fileType(mode: number): string {
  return fileTypes.get(mode & constants.S_IFMT) ?? '';
}

/** What a request is refused with while its site is in one of these states. */
export const refusalOfState: Readonly<Partial<Record<SiteState, RefusalReason>>> = {
  throttled: 'start-failed',
  quarantined: 'quarantined',
  disabled: 'disabled',
};
