/** Where a command writes, and how it lays out what it writes. Passed in, so that commands can be tested. */

export interface Terminal {
  /** What was asked for: one line, or several. */
  out(text: string): void;
  /** Everything else: errors, warnings, advice. */
  err(text: string): void;
  /** Whether what goes out may have colours. */
  readonly isColoured?: boolean;
  /** Lines on the screen, where what goes out goes to one. */
  readonly rows?: number;
}

/** Rows in columns that are as wide as their widest cell; the first row is the heading. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** A span of time as people say it: the two largest units. */
export function span(milliseconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ];
  let rest = Math.floor(milliseconds / 1000);
  const parts: string[] = [];
  for (const [unit, seconds] of units) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 && parts.length < 2) parts.push(`${count}${unit}`);
  }
  return parts.join(' ') || '0s';
}
