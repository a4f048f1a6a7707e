/** A bar chart as SVG: readable on light and dark ground, no script, no font of its own. */

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The extremes, drawn as a line. */
  readonly low?: number;
  readonly high?: number;
  /** guise's own bars stand out. */
  readonly ours: boolean;
}

const width = 800;
const rowHeight = 24;
const labelWidth = 330;
const barWidth = 370;

/** One bar below the other, in the given order, from zero. */
export function bars(title: string, rows: readonly Bar[]): string {
  const most = Math.max(...rows.map((row) => row.high ?? row.value), 1e-9);
  const height = 48 + rows.length * rowHeight;
  const x = (value: number): string => (labelWidth + (barWidth * value) / most).toFixed(1);
  const drawn = rows.map((row, n) => {
    const y = 40 + n * rowHeight;
    const length = ((barWidth * row.value) / most).toFixed(1);
    const middle = y + rowHeight / 2 - 3;
    const line =
      row.low === undefined || row.high === undefined
        ? ''
        : `<path class="spread" d="M${x(row.low)} ${middle}H${x(row.high)}"/>`;
    return `<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end">${escapeXml(row.label)}</text>
<rect class="${row.ours ? 'ours' : 'other'}" x="${labelWidth}" y="${y}" width="${length}" height="${rowHeight - 6}" rx="2"/>
${line}<text x="${(Number(x(row.high ?? row.value)) + 6).toFixed(1)}" y="${y + 13}">${number(row.value)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.ours { fill: #2f6fdb } .other { fill: #9aa4b0 } .spread { stroke: #57606a; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #d6dde5 } .ours { fill: #6ea0ff } .other { fill: #6b7580 } .spread { stroke: #b4bec9 } }
</style>
<text class="title" x="8" y="22">${escapeXml(title)}</text>
${drawn.join('\n')}
</svg>
`;
}

function number(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value < 10 ? 2 : 1);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
