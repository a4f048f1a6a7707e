/**
 * The page for people: problems first, then the busiest sites. It needs no script and loads nothing: it refreshes and
 * sorts itself by its own address. Pure: from a report and what was seen before to HTML.
 */

import { createHash } from 'node:crypto';
import { quantile } from '../account/histogram.js';
import type { StatusReport } from '../control/api.js';
import type { History } from './history.js';
import { type Problem, problemsOf } from './page-problems.js';
import { rowsOf, type SiteRow, type SortKey, sortKeyOf } from './page-rows.js';
import { style } from './page-style.js';
import { bytes, digits, escaped, line, milliseconds, share, span } from './page-words.js';

const refreshSeconds = 5;
/** Rows and problems that are shown: what is beyond is said in numbers. */
const mostRows = 500;
const mostProblems = 30;

/** Nothing but this style may have an effect, whatever a name or a reason holds. */
export const pageHeaders = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

/** @param sort what the visitor asked for; anything else than a column is the usual order */
export function sitesPage(report: StatusReport, history: History, sort: string | undefined): string {
  const key = sortKeyOf(sort);
  const problems = problemsOf(report, history);
  const rows = rowsOf(report, history, key);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}">
<title>${problems.length === 0 ? '' : `(${problems.length}) `}guise</title>
<style>${style}</style>
</head>
<body><main>
${heading(report)}
${problemList(problems)}
${tiles(report, history)}
${table(rows, key)}
</main></body>
</html>
`;
}

function heading({ version, uptimeMs, totals, sites, parked }: StatusReport): string {
  const count = totals?.sites ?? sites.length;
  const words = `${escaped(version)} · up ${span(uptimeMs)} · ${count} ${count === 1 ? 'site' : 'sites'}`;
  const waiting = parked.length === 0 ? '' : ` · ${parked.length} parked`;
  return `<header><h1>guise</h1><span class="soft">${words}${waiting}</span></header>`;
}

function tiles(report: StatusReport, history: History): string {
  const { totals } = report;
  const { perSecond, errors, cpu, runSteps, line: rates, overMs } = history.machine(report);
  const lately = overMs >= report.uptimeMs ? 'since the start' : `in ${span(overMs)}`;
  const busy = `${totals?.workers.busy ?? 0}<span class="soft"> / ${totals?.workers.limit ?? 0}</span>`;
  const slowest = `<span class="soft">99 % within ${milliseconds(quantile(runSteps, 0.99))}</span>`;
  const room =
    totals?.room === undefined
      ? ''
      : `<span class="soft">workers may take ${bytes(totals.room.limitBytes)}</span>`;
  return `<h2>The machine</h2>
<section class="tiles" aria-label="The machine">
${tile('Requests/s', digits(perSecond), line(rates, 160, 32))}
${tile('Busy workers', busy, line(history.busy, 160, 32))}
${tile('Waiting', String(totals?.queued ?? 0), '')}
${tile('Half within', milliseconds(quantile(runSteps, 0.5)), slowest)}
${tile('Processor', share(cpu), '<span class="soft">100 % is one core</span>')}
${tile('Memory', bytes(totals?.memory.pssBytes), room)}
${tile('Errors', String(errors), `<span class="soft">${lately}</span>`)}
</section>`;
}

function tile(name: string, value: string, more: string): string {
  return `<div class="tile"><span class="soft">${name}</span><b>${value}</b>${more}</div>`;
}

function problemList(problems: readonly Problem[]): string {
  if (problems.length === 0) return '<h2>Problems</h2><p class="good">✓ Nothing needs attention.</p>';
  const items = problems.slice(0, mostProblems).map(({ level, site, text, remedy }) => {
    const sign = level === 'bad' ? '✕ Broken' : '! Look at';
    const name = site === undefined ? '' : `<strong>${escaped(site)}</strong> `;
    const mend = remedy === undefined ? '' : `<code>${escaped(remedy)}</code>`;
    return `<li class="${level}"><strong class="level">${sign}</strong>${name}${escaped(text)}${mend}</li>`;
  });
  const left = problems.length - items.length;
  return `<h2>Problems</h2><ul>${items.join('\n')}</ul>${left > 0 ? `<p class="soft">and ${left} more</p>` : ''}`;
}

const columns: readonly (readonly [SortKey, string])[] = [
  ['name', 'Site'],
  ['busy', 'Busy'],
  ['queue', 'Waiting'],
  ['rate', 'Requests/s'],
  ['p50', 'Half within'],
  ['p99', '99 % within'],
  ['cpu', 'Processor'],
  ['memory', 'Memory'],
  ['errors', 'Errors'],
];

function table(rows: readonly SiteRow[], key: SortKey): string {
  if (rows.length === 0) return '<h2>Sites</h2><p class="soft">There are no sites yet.</p>';
  const heads = columns.map(([name, title]) => {
    const order = name === key ? ` aria-sort="${name === 'name' ? 'ascending' : 'descending'}"` : '';
    return `<th scope="col"${order}><a href="?sort=${name}">${title}</a></th>`;
  });
  const shown = rows.slice(0, mostRows);
  const left = rows.length - shown.length;
  return `<h2>Sites</h2>
<div class="wide"><table>
<thead><tr>${heads.join('')}</tr></thead>
<tbody>
${shown.map(row).join('\n')}
</tbody>
</table></div>${left > 0 ? `<p class="soft">and ${left} more: guise status shows them all</p>` : ''}`;
}

function row(site: SiteRow): string {
  const { busy, limit, queue, queueLimit } = site;
  const chip =
    site.state === 'active' ? '' : `<span class="chip ${site.level}">${escaped(site.state)}</span>`;
  const cells = [
    `${escaped(site.name)}${chip}`,
    `<meter min="0" max="${limit}" value="${Math.min(busy, limit)}"></meter>${busy} / ${limit}`,
    `${queue} / ${queueLimit}`,
    `${line(site.line, 60, 18)}${digits(site.rate)}`,
    milliseconds(site.p50),
    milliseconds(site.p99),
    share(site.cpu),
    bytes(site.memory),
  ];
  const title = site.why === '' ? '' : ` title="${escaped(site.why)}"`;
  const errors = `<td${site.errors > 0 ? ' class="bad"' : ''}${title}>${site.errors}</td>`;
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}${errors}</tr>`;
}
