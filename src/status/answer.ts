/**
 * What is shown at which path and in which form: the table of the status application. A renderer is given the status
 * report of the daemon and answers with a page; it asks nobody and knows no connection.
 */

import type { StatusReport } from '../control/api.js';
import { metricsContentType, metricsText } from '../metrics/exposition.js';
import { type Write, writeHtml, writeJson, writeOpenMetrics, writeText, writeXml } from './fpm-formats.js';
import { History } from './history.js';
import { pageHeaders, sitesPage } from './page.js';
import { poolFigures } from './pool-figures.js';
import type { Format, Question } from './request.js';

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Beside those that forbid to keep a copy. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface View {
  readonly report: StatusReport;
  readonly nowMs: number;
  /** With every process. */
  readonly full: boolean;
  /** Only this site; absent: all. */
  readonly site?: string;
  /** The column that the page is to be sorted by, as asked. */
  readonly sort?: string;
}

export type Renderer = (view: View) => Page | Promise<Page>;

interface Entry {
  /** Behind the path of the status: '' is that path itself. */
  readonly rest: string;
  /** Absent: whatever form is asked for. */
  readonly format?: Format;
  readonly render: Renderer;
}

/** The first entry that fits answers. */
export const entries: readonly Entry[] = [
  { rest: '', format: 'html', render: likeFpm('text/html;charset=UTF-8', writeHtml) },
  { rest: '', format: 'xml', render: likeFpm('text/xml;charset=UTF-8', writeXml) },
  { rest: '', format: 'json', render: likeFpm('application/json', writeJson) },
  {
    rest: '',
    format: 'openmetrics',
    render: likeFpm('application/openmetrics-text; version=1.0.0; charset=utf-8', writeOpenMetrics),
  },
  { rest: 'metrics', render: metrics },
  { rest: 'sites', render: forPeople() },
  { rest: '', format: 'text', render: likeFpm('text/plain;charset=UTF-8', writeText) },
];

/** php-fpm's own headers. */
export const neverKept = {
  Expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
  'Cache-Control': 'no-cache, no-store, must-revalidate, max-age=0',
} as const;

/** @param ask fetches the daemon's report; not called where it is not needed */
export async function answerTo(
  question: Question | undefined,
  ask: () => Promise<StatusReport>,
  nowMs: () => number,
): Promise<Page> {
  if (question === undefined) return plain(404, 'There is nothing at this address.\n');
  // As with php-fpm a ping is answered without a look at anything; but the daemon's death must be seen.
  if (question.kind === 'ping') return plain(200, 'pong');
  const entry = entries.find(
    ({ rest, format }) => rest === question.rest && (format === undefined || format === question.format),
  );
  if (entry === undefined) return plain(404, 'There is nothing at this address.\n');
  const { full, site, sort } = question;
  const report = await ask();
  return entry.render({
    report,
    nowMs: nowMs(),
    full,
    ...(site === undefined ? {} : { site }),
    ...(sort === undefined ? {} : { sort }),
  });
}

export function plain(status: number, body: string): Page {
  return { status, contentType: 'text/plain;charset=UTF-8', body };
}

function likeFpm(contentType: string, write: Write): Renderer {
  return ({ report, nowMs, full, site }) => {
    const pool = poolFigures(report, site, nowMs);
    if (pool === undefined) return plain(404, 'There is no such site.\n');
    return { status: 200, contentType, body: write(pool, full) };
  };
}

/** The same as the control socket gives. */
async function metrics({ report }: View): Promise<Page> {
  const body = await metricsText(report, 'openmetrics');
  return { status: 200, contentType: metricsContentType('openmetrics'), body };
}

/** The history begins when somebody first looks. */
function forPeople(): Renderer {
  const history = new History();
  return ({ report, nowMs, sort }) => {
    history.add(report, nowMs);
    const body = sitesPage(report, history, sort);
    return { status: 200, contentType: 'text/html;charset=UTF-8', body, headers: pageHeaders };
  };
}
