/** What a check of `guise doctor` is, what it may look at, and what it finds. */

import type { Config } from '../config/config.js';
import type { Finding, Problem } from '../config/problem.js';
import type { StatusReport } from '../control/api.js';
import type { Registry } from '../site/registry.js';
import type { WebConfig } from '../web/host.js';
import type { Machine } from './machine.js';

/**
 * `error`: something is open, or does not work. `warning`: it will bite, or does under load. `note`: good to know, and
 * nothing that must be mended.
 */
export type Severity = 'error' | 'warning' | 'note';

/** What is looked at. Read once, before the first check; checks change nothing. */
export interface Look {
  readonly config: Config;
  /** What is wrong with guise.toml. */
  readonly problems: readonly Problem[];
  readonly registry: Registry;
  readonly webs: readonly WebConfig[];
  /** What the daemon says about itself; absent when none answers. */
  readonly daemon?: StatusReport;
  readonly machine: Machine;
}

/** Something that a check found. `remedy` is a line for a shell, with words behind a `#` where there are any. */
export interface Ailment extends Finding {
  /** The file, the site or the process that it is about. */
  readonly about: string;
}

export interface Check {
  /** Stable: scripts and the reference page name it. */
  readonly id: string;
  readonly severity: Severity;
  /** What is looked for, as the beginning of a sentence. */
  readonly title: string;
  readonly examine: (look: Look) => readonly Ailment[] | Promise<readonly Ailment[]>;
}

export function fromProblem({ file, line, ...finding }: Problem): Ailment {
  return { about: `${file}:${line}`, ...finding };
}
