/** How much the property tests do: as many runs as fit into the time, and at most this many. */
export const fuzzSettings = {
  numRuns: 10_000,
  interruptAfterTimeLimit: 4000,
} as const;
