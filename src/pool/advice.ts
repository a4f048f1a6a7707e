/** What the sizes of workers mean for how many there can be, in numbers and in words. Pure. */

const megabyte = 1024 ** 2;

/** So many workers of that size fit into the memory that all may take; one always does, for it would run alone. */
export function fitting(memoryBytes: number, workerBytes: number): number {
  return Math.max(1, Math.floor(memoryBytes / Math.max(1, workerBytes)));
}

export function fittingInWords(memoryBytes: number, workerBytes: number): string {
  const count = fitting(memoryBytes, workerBytes);
  const fit = count === 1 ? '1 worker fits' : `${count} workers fit`;
  return `${fit} your memory at ${inMegabytes(workerBytes)}`;
}

export function inMegabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / megabyte))} MB`;
}
