/** One record of a site's log as a person reads it. Nothing in it reaches the terminal as a control character. */

import { visible } from './visible.js';

export type LogKind = 'requests' | 'refusals' | 'slow' | 'php';

/** In characters, of a line that is shown. */
const most = 4000;

/**
 * Undefined: not of this kind.
 *
 * @param asIs the line of the file
 */
export function lineOf(kind: LogKind, line: string, asIs: boolean): string | undefined {
  if (kind === 'php') return visible(line.replaceAll('\t', '    '), most);
  const record = parse(line);
  if (record === undefined) return undefined;
  if (kind === 'refusals' && record.reason === undefined) return undefined;
  if (asIs) return line;
  const [first = '', ...more] = kind === 'slow' ? slow(record) : [request(record)];
  return [visible(first, most), ...more.map((frame) => `    ${visible(frame, most)}`)].join('\n');
}

type Fields = Readonly<Record<string, unknown>>;

function parse(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '-';
}

function request(record: Fields): string {
  const cpuMs = Math.round(Number(record.userMs ?? 0) + Number(record.systemMs ?? 0));
  const why = record.reason === undefined ? '' : `  ${text(record.reason)} (${text(record.endedBy)})`;
  return [
    `${text(record.time)} ${text(record.id)} ${text(record.status)} ${text(record.method)} ${text(record.uri)}`,
    `  ${Math.round(Number(record.runMs ?? 0))}ms, waited ${Math.round(Number(record.queueMs ?? 0))}ms, cpu ${cpuMs}ms${why}`,
  ].join('');
}

/** The line, and PHP's stack below it. */
function slow(record: Fields): string[] {
  const { process, stack, noStack } = record;
  const state = typeof process === 'object' && process !== null ? (process as Fields) : {};
  const where = Object.entries(state).map(([name, value]) => `${name} ${text(value)}`);
  const line = `${text(record.time)} ${text(record.id)} ${text(record.method)} ${text(record.uri)} runs for ${text(record.runMs)}ms: ${where.join(', ')}`;
  if (Array.isArray(stack)) return [line, ...stack.map(text)];
  return noStack === undefined ? [line] : [line, `no stack: ${text(noStack)}`];
}
