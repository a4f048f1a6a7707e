/** One picture of `guise top` for a screen of this size. Pure. */

import type { StatusReport } from '../control/api.js';
import { type Paint, shown } from './paint.js';
import { columns, span } from './terminal.js';
import { arranged, type Order, type TopRow } from './top-rows.js';

export interface View {
  readonly order: Order;
  /** Only sites whose name or user holds this. */
  readonly words: string;
  /** The words are being typed. */
  readonly isTyping: boolean;
  readonly isPaused: boolean;
  /** What went wrong with the last question. */
  readonly problem?: string;
}

export interface Size {
  readonly lines: number;
  readonly columns: number;
}

/** The key that sorts by each column. */
export const orderKeys: Readonly<Record<string, Order>> = {
  c: 'cpu',
  r: 'rate',
  b: 'busy',
  w: 'queued',
  m: 'memory',
  e: 'errors',
  n: 'name',
};

const headings = ['SITE', 'USER', 'STATE', 'BUSY', 'WORKERS', 'WAIT', 'REQ/S', 'ERR/S', 'CPU %', 'MEMORY'];
const orderOf: readonly (Order | undefined)[] = [
  'name',
  undefined,
  undefined,
  'busy',
  undefined,
  'queued',
  'rate',
  'errors',
  'cpu',
  'memory',
];

/** Lines without their ends, no longer than the screen is wide and no more than it is high. */
export function topScreen(
  report: StatusReport,
  rows: readonly TopRow[],
  view: View,
  size: Size,
  paint: Paint,
): string[] {
  const wanted = arranged(rows, view.order, view.words);
  const room = Math.max(1, size.lines - 4);
  const marked = headings.map((name, at) => (orderOf[at] === view.order ? `${name}*` : name));
  const [heading = '', ...body] = columns([marked, ...wanted.slice(0, room).map(cells)]).split('\n');
  const left = wanted.length - Math.min(room, wanted.length);
  const cut = (line: string): string => Array.from(line).slice(0, size.columns).join('');
  return [
    paint('bold', cut(head(report, rows))),
    cut(below(view, left)),
    paint('inverse', cut(heading.padEnd(size.columns))),
    ...body.map(cut),
  ].slice(0, Math.max(1, size.lines));
}

function head(report: StatusReport, rows: readonly TopRow[]): string {
  const sum = (of: (row: TopRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return [
    `guise up ${span(report.uptimeMs)}`,
    `${rows.length} sites`,
    `${sum(({ busy }) => busy)} busy`,
    `${sum(({ queued }) => queued)} waiting`,
    `${decimal(sum(({ rate }) => rate))} requests/s`,
    `${decimal(sum(({ cpu }) => cpu))} % CPU`,
    mebibytes(sum(({ memory }) => memory)),
  ].join(', ');
}

function below({ problem, isTyping, words, isPaused }: View, left: number): string {
  if (problem !== undefined) return `! ${shown(problem)}`;
  if (isTyping) return `only names or users with: ${words}_`;
  const keys = 'q quit  p pause  / filter  sort: c r b w m e n';
  const notes = [
    ...(isPaused ? ['PAUSED'] : []),
    ...(words === '' ? [] : [`only "${words}"`]),
    ...(left === 0 ? [] : [`${left} more below`]),
  ];
  return [...notes, keys].join('  ');
}

function cells(row: TopRow): string[] {
  return [
    shown(row.name),
    shown(row.user),
    row.state,
    String(row.busy),
    `${row.workers}/${row.limit}`,
    String(row.queued),
    decimal(row.rate),
    decimal(row.errors),
    decimal(row.cpu),
    mebibytes(row.memory),
  ];
}

const decimal = (value: number): string => value.toFixed(1);
const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)}M`;
