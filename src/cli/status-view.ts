/** The screen of `guise status`: what needs somebody first, then the sites, those that matter most on top. Pure. */

import type { SiteStatus, SiteView, StatusReport } from '../control/api.js';
import { fittingInWords, inMegabytes } from '../pool/advice.js';
import type { Attention } from './attention.js';
import { type Paint, shown } from './paint.js';
import { columns, span } from './terminal.js';

const headings = [
  'SITE',
  'STATE',
  'USER',
  'MODE',
  'WORKERS',
  'BUSY',
  'QUEUE',
  'SERVED',
  'REFUSED',
  'CRASHED',
];

export interface Screen {
  readonly paint: Paint;
  /** Lines that there is room for; absent: all of them. */
  readonly lines?: number;
}

export function statusScreen(
  report: StatusReport,
  attention: readonly Attention[],
  { paint, lines = Number.POSITIVE_INFINITY }: Screen,
): string {
  const head = paint('bold', headLine(report));
  const notes = attention.length === 0 ? [] : ['', ...attention.flatMap((one) => describe(one, paint))];
  const rows = [...report.sites].sort(byImportance(new Set(attention.map(({ site }) => site)))).map(row);
  rows.push(...report.parked.map(({ name }) => [shown(name), 'parked', ...Array<string>(8).fill('-')]));
  if (rows.length === 0) {
    const nobody = 'no sites yet; "guise site add --help" shows how to add one';
    return [head, ...notes, '', nobody].join('\n');
  }
  // Head, empty line, heading, the line that says what is left out, and the prompt.
  const room = Math.max(5, lines - notes.length - 5);
  const fits = rows.length <= room ? rows : rows.slice(0, room);
  const [heading = '', ...body] = columns([headings, ...fits]).split('\n');
  const left = rows.length - fits.length;
  const rest = left === 0 ? [] : [paint('dim', `… and ${left} more: guise status --all`)];
  return [head, ...notes, '', paint('bold', heading), ...body, ...rest].join('\n');
}

function headLine(report: StatusReport): string {
  const { version, pid, uptimeMs, routers, sites, parked } = report;
  const router = routers.map((one) => `${one.pid}${one.alive ? '' : ' (dead)'}`).join(', ');
  const busy = sites.reduce((sum, { workers }) => sum + workers.busy, 0);
  const waiting = sites.reduce((sum, { queue }) => sum + queue.length, 0);
  const all = sites.length + parked.length;
  return [
    `guise ${version}, pid ${pid}, up ${span(uptimeMs)}`,
    // The user of a site is told of none.
    ...(router === '' ? [] : [`router: ${router}`]),
    `${all} ${all === 1 ? 'site' : 'sites'}, ${busy} busy, ${waiting} waiting`,
    ...roomOf(report),
  ].join('; ');
}

/** What there is beside what there may be. */
function roomOf({ totals }: StatusReport): string[] {
  if (totals?.room === undefined) return [];
  const { usedBytes, limitBytes } = totals.room;
  const { total, limit } = totals.workers;
  return [`${total} of ${limit} workers, ${inMegabytes(usedBytes)} of ${inMegabytes(limitBytes)}`];
}

/** How many workers of a site there can be at most. */
export function adviceOn({ workers }: SiteStatus, { totals }: StatusReport): string | undefined {
  const limitBytes = totals?.room?.limitBytes;
  if (limitBytes === undefined || workers.bytes === undefined) return undefined;
  return `${fittingInWords(limitBytes, workers.bytes)}; the site may have ${workers.limit}`;
}

function describe({ level, site, text, remedy }: Attention, paint: Paint): string[] {
  const mark = level === 'bad' ? paint('red', '!!') : paint('yellow', ' !');
  const about = site === undefined ? '' : `${paint('bold', shown(site))}: `;
  return [`${mark} ${about}${shown(text)}`, `     ${paint('dim', shown(remedy))}`];
}

/** Those with a problem, then by what they do now, then by name. */
function byImportance(troubled: ReadonlySet<string | undefined>) {
  const weight = ({ name, queue, workers }: SiteStatus): number =>
    (troubled.has(name) ? 1e9 : 0) + queue.length * 1000 + workers.busy * 100 + workers.total;
  return (a: SiteStatus, b: SiteStatus): number => weight(b) - weight(a) || a.name.localeCompare(b.name);
}

function row(site: SiteStatus): string[] {
  const { workers, queue } = site;
  return [
    shown(site.name),
    site.state,
    shown(site.user),
    site.mode,
    `${workers.total}/${workers.limit}`,
    String(workers.busy),
    `${queue.length}/${queue.limit}`,
    String(site.served),
    String(site.refused),
    String(site.crashed),
  ];
}

/** Everything about one site: what needs somebody, what it does, and what holds for it. */
export function siteScreen(
  status: SiteStatus | undefined,
  view: SiteView | undefined,
  attention: readonly Attention[],
  paint: Paint,
  advice?: string,
): string {
  const notes = attention.length === 0 ? [] : [...attention.flatMap((one) => describe(one, paint)), ''];
  const now = status === undefined ? [] : [paint('bold', 'now'), columns(fields(status)), ''];
  const settings = view === undefined ? [] : [paint('bold', 'settings'), columns(fields(view))];
  const room = advice === undefined ? [] : [paint('bold', 'room'), `  ${advice}`, ''];
  return [...notes, ...now, ...room, ...settings].join('\n').trimEnd();
}

/** One line a figure, tables within it by their names with a dot. */
function fields(value: object, before = ''): string[][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
      return fields(inner, `${before}${key}.`);
    const text = Array.isArray(inner) ? inner.join(' ') : String(inner);
    return [[`  ${before}${key}`, shown(text)]];
  });
}
