/** The router's log lines. What a visitor sent is only ever a JSON string in them, cut to a bound. */

import { type Logger, pino } from 'pino';
import { LineBudget } from '../account/line-budget.js';
import { LogStream } from '../account/log-stream.js';
import type { Outcome } from '../account/outcome.js';
import { errnoName } from '../os/errno.js';
import type { Head } from '../request/head.js';

const textMax = 500;
const linesPerSecond = 50;

export class RouterLog {
  readonly logger: Logger;
  readonly stream: LogStream;
  readonly #refusals = new LineBudget(linesPerSecond);
  readonly #strangers = new LineBudget(linesPerSecond);

  constructor(fd: number) {
    this.stream = new LogStream(fd);
    this.logger = pino(
      { base: { process: 'router' }, timestamp: pino.stdTimeFunctions.isoTime },
      this.stream,
    );
  }

  /** A web server that does not speak FastCGI, or somebody who is none. */
  broken(breach: string): void {
    const suppressed = this.#strangers.take(performance.now());
    if (suppressed === undefined) return;
    this.logger.warn(
      { breach, ...(suppressed === 0 ? {} : { suppressed }) },
      'connection closed: not FastCGI',
    );
  }

  /**
   * Somebody who is not the web server has connected.
   *
   * @param uid negative where the kernel could not tell, the error number with its sign turned round
   */
  stranger(uid: number): void {
    const suppressed = this.#strangers.take(performance.now());
    if (suppressed === undefined) return;
    const who = uid < 0 ? { uidUnknown: errnoName(uid) } : { uid };
    this.logger.warn(
      { ...who, ...(suppressed === 0 ? {} : { suppressed }) },
      'connection refused: not a web server',
    );
  }

  /**
   * One line for a request that PHP did not answer to its end.
   *
   * @param budget the site's, so that a flood of one does not hide what happens to another; without a site the common one
   */
  refusal(
    outcome: Outcome,
    head: Head | undefined,
    found: number | undefined,
    budget: LineBudget = this.#refusals,
  ): void {
    const suppressed = budget.take(performance.now());
    if (suppressed === undefined) return;
    const { id, site, status, reason, endedBy, byUid } = outcome;
    this.logger.warn(
      {
        id,
        site,
        status,
        reason,
        endedBy,
        ...(byUid === undefined ? {} : { byUid }),
        ...(found === undefined ? {} : { found }),
        ...(head === undefined ? {} : describe(head)),
        ...(suppressed === 0 ? {} : { suppressed }),
      },
      'request refused',
    );
  }
}

function describe(head: Head): Record<string, string | undefined> {
  return {
    client: cut(head.remoteAddr),
    method: cut(head.method),
    host: cut(head.serverName),
    uri: cut(head.uri),
    script: cut(head.scriptFilename),
  };
}

function cut(text: string | undefined): string | undefined {
  return text?.slice(0, textMax);
}
