/**
 * How much of a request the router is ready to hold. All of it is for one connection; time limits belong to the
 * router, which has the clocks.
 */

export interface ReadLimits {
  /** Bytes of the parameter block as it is sent. More is 431. */
  readonly maxParamsBytes: number;
  /** Parameters, however short. More is 431. */
  readonly maxParams: number;
  /** Bytes of body until the request's site has said what it allows: see RequestReader.bodyLimit. More is 413. */
  readonly maxBodyBytes: number;
  /** A body up to this size stays in memory. */
  readonly memoryBodyBytes: number;
  /** A larger body up to this size goes to a memfd; above, to a file in the spool directory. */
  readonly memfdBodyBytes: number;
  /** While less is free in the file system of the spool directory, no body grows there. More is 507. */
  readonly spoolMinFreeBytes: number;
  /** Bytes of a request that was refused early which are still read and thrown away. */
  readonly maxDrainBytes: number;
  /** Answers to management records and refusals of further request ids, for one request. */
  readonly maxReplies: number;
  /** Records in a row that bring the request no further: unknown ids, unknown types, empty ones. */
  readonly maxRecordsWithoutProgress: number;
}

export const defaultReadLimits: ReadLimits = {
  maxParamsBytes: 128 * 1024,
  maxParams: 1000,
  maxBodyBytes: 1024 * 1024 * 1024,
  memoryBodyBytes: 64 * 1024,
  memfdBodyBytes: 4 * 1024 * 1024,
  spoolMinFreeBytes: 0,
  maxDrainBytes: 16 * 1024 * 1024,
  maxReplies: 16,
  maxRecordsWithoutProgress: 1000,
};
