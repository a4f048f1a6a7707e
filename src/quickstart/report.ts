/** What the quickstart prints: who answered, and the processes that stand behind it. */

import type { Answer } from './page.js';
import { processTree } from './processes.js';

/** Lines of a table with columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function answerRow(url: string, site: string, answer: Answer): string[] {
  return [url, site, `${answer.uid} (${answer.user})`, answer.groups.join(','), String(answer.pid)];
}

/** `ps` for a process and everything below it: pid, user id, command line indented by descent. */
export function processRows(pid: number): string[][] {
  return processTree(pid).map(({ entry, depth }) => [
    String(entry.pid),
    String(entry.uid),
    `${'  '.repeat(depth)}${entry.command}`,
  ]);
}
