/** Numbers as people read them, and text that stays text. */

/** Every character that could be markup, in text and in attribute values. */
export function escaped(text: string): string {
  return text.replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms < 1) return '&lt;1 ms';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${digits(ms / 1000)} s`;
}

export function bytes(count: number | undefined): string {
  if (count === undefined) return '–';
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, count)) / 10));
  return `${digits(count / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power] ?? ''}`;
}

export function share(part: number): string {
  return `${digits(part * 100)} %`;
}

/** Two digits that count, where there are no more before the point. */
export function digits(value: number): string {
  if (value === 0) return '0';
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2);
}

export function span(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}

/** A line through the values, oldest first. It says nothing to those who hear the page: the number beside it does. */
export function line(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return '';
  const most = Math.max(...values, 1e-9);
  const points = values.map((value, i) => {
    const x = (i * width) / (values.length - 1);
    return `${x.toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`;
  });
  const area = `0,${height} ${points.join(' ')} ${width},${height}`;
  return (
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true" preserveAspectRatio="none">` +
    `<polygon class="area" points="${area}"/><polyline class="line" points="${points.join(' ')}"/></svg>`
  );
}
