/** php-fpm's five ways to write its status: spaces, line ends and order of them as it does. */

import { type Field, metrics, poolFields, processFields, type Value } from './fpm-fields.js';
import type { PoolFigures } from './pool-figures.js';

/** Always with the processes, or without. */
export type Write = (pool: PoolFigures, full: boolean) => string;

export const writeText: Write = (pool, full) => {
  const line = (name: string, value: Value): string => `${`${name}:`.padEnd(21)} ${forPeople(value)}\n`;
  const head = poolFields.map(({ name, value }) => line(name, value(pool))).join('');
  if (!full) return head;
  const blocks = pool.processes.map((process) => {
    const lines = processFields.map(({ name, value }) =>
      line(name === 'request uri' ? 'request URI' : name, value({ process, pool })),
    );
    return `\n************************\n${lines.join('')}`;
  });
  return head + blocks.join('');
};

export const writeJson: Write = (pool, full) => {
  const head = jsonMembers(poolFields, pool);
  if (!full) return `{${head}}`;
  const processes = pool.processes.map((process) => `{${jsonMembers(processFields, { process, pool })}}`);
  return `{${head}, "processes":[${processes.join(',')}]}`;
};

export const writeXml: Write = (pool, full) => {
  const element = <Of>({ name, value }: Field<Of>, of: Of): string => {
    const tag = name.replaceAll(' ', '-');
    return `<${tag}>${escapeMarkup(forMachines(value(of)))}</${tag}>`;
  };
  const head = poolFields.map((field) => `${element(field, pool)}\n`).join('');
  const processes = pool.processes.map(
    (process) =>
      `<process>${processFields.map((field) => element(field, { process, pool })).join('')}</process>\n`,
  );
  const body = full ? `${head}<processes>\n${processes.join('')}</processes>\n` : head;
  return `<?xml version="1.0" ?>\n<status>\n${body}</status>`;
};

export const writeHtml: Write = (pool, full) => {
  const rows = poolFields.map(
    ({ name, value }) => `<tr><th>${name}</th><td>${escapeMarkup(forPeople(value(pool)))}</td></tr>\n`,
  );
  const heading = processFields.map(({ name }) => `<th>${name}</th>`).join('');
  const processes = pool.processes.map((process) => {
    const cells = processFields.map(
      ({ value }) => `<td>${escapeMarkup(forPeople(value({ process, pool })))}</td>`,
    );
    return `<tr>${cells.join('')}</tr>\n`;
  });
  const more = full ? `\n<table border="1">\n<tr>${heading}</tr>\n${processes.join('')}</table>` : '\n';
  return `${htmlHead}<table>\n${rows.join('')}</table>${more}</body></html>`;
};

const htmlHead = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
<head><title>PHP-FPM Status Page</title></head>
<body>
`;

export const writeOpenMetrics: Write = (pool) => {
  const blocks = metrics.map(({ name, type, help, value, typeFirst }) => {
    const words = [
      `# HELP phpfpm_${name} ${typeof help === 'string' ? help : help(pool)}\n`,
      `# TYPE phpfpm_${name} ${type}\n`,
    ];
    if (typeFirst === true) words.reverse();
    return `${words.join('')}phpfpm_${name} ${value(pool)}\n`;
  });
  return `${blocks.join('')}# EOF\n`;
};

function jsonMembers<Of>(fields: readonly Field<Of>[], of: Of): string {
  return fields.map(({ name, value }) => `"${name}":${jsonValue(value(of))}`).join(',');
}

function jsonValue(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value).replaceAll('/', '\\/') : forMachines(value);
}

function forMachines(value: Value): string {
  if (typeof value !== 'object') return String(value);
  return 'seconds' in value ? String(value.seconds) : value.cpu.toFixed(2);
}

function forPeople(value: Value): string {
  return typeof value === 'object' && 'seconds' in value ? dateText(value.seconds) : forMachines(value);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `24/Nov/2026:16:54:29 +0000`, in the time of the machine. */
export function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (number: number): string => String(number).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  const eastMinutes = -date.getTimezoneOffset();
  const zone = `${two(Math.floor(Math.abs(eastMinutes) / 60))}${two(Math.abs(eastMinutes) % 60)}`;
  const day = `${two(date.getDate())}/${months[date.getMonth()] ?? ''}/${date.getFullYear()}`;
  return `${day}:${clock} ${eastMinutes < 0 ? '-' : '+'}${zone}`;
}

/** php-fpm escapes the address of a request so; here names are escaped that a site has given itself. */
function escapeMarkup(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? '');
}
