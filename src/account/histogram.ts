/**
 * How long things took, as counts in fixed steps: about six steps for each power of ten, from 0.1 ms to 10 minutes.
 * A step is closed at its upper end, as OpenMetrics has it (`le`). Pure.
 */

/** The upper ends of the steps in milliseconds; what took longer is in one more step. */
export const stepEndsMs: readonly number[] = [
  ...[-1, 0, 1, 2, 3, 4].flatMap((power) => [1, 1.5, 2, 3, 5, 7].map((digit) => scaled(digit, power))),
  ...[100_000, 150_000, 200_000, 300_000, 600_000],
];

/** How many counts a histogram has. */
export const stepCount = stepEndsMs.length + 1;

const ends = Float64Array.from(stepEndsMs);

/** The step that a time belongs to. */
export function stepOf(ms: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ms <= (ends[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many times have been counted. */
export function totalOf(counts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < stepCount; i++) total += counts[i] ?? 0;
  return total;
}

/**
 * The time within which the share `q` of all stayed, to the accuracy of a step, as if times were spread evenly over
 * each; undefined when there are none. Of what took longer than the last step only its beginning is known.
 */
export function quantile(counts: ArrayLike<number>, q: number): number | undefined {
  const total = totalOf(counts);
  if (total === 0) return undefined;
  const wanted = q * total;
  let below = 0;
  for (let i = 0; i < stepEndsMs.length; i++) {
    const here = counts[i] ?? 0;
    if (here > 0 && below + here >= wanted) {
      const start = i === 0 ? 0 : (stepEndsMs[i - 1] ?? 0);
      const end = stepEndsMs[i] ?? start;
      return start + ((end - start) * Math.max(0, wanted - below)) / here;
    }
    below += here;
  }
  return stepEndsMs[stepEndsMs.length - 1];
}

/** Without the noise that 7 × 0.1 has. */
function scaled(digit: number, power: number): number {
  return power < 0 ? Math.round(digit * 10) / 100 : digit * 10 ** power;
}
