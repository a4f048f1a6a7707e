/**
 * The channel between the master and the ledger, one SOCK_SEQPACKET datagram per message; laid out as in
 * router-messages.ts.
 *
 * To the ledger (trusted direction): settings; a link to a router; the file that was asked for, or word that there is
 * none; `reopen`, after which every file is asked for again; `finish`.
 *
 * To the master, always `wishBytes`, numbers only:
 *
 * | to the master | when it is permitted | what it may cause |
 * |---|---|---|
 * | ready | once | the link to the router |
 * | open | a site that exists | its file, opened for appending, as a descriptor |
 * | rotate | the same, where the file has the size for it | the file is renamed, a new one is opened |
 */

export const toLedger = { settings: 1, router: 2, file: 3, noFile: 4, reopen: 5, finish: 6, log: 7 } as const;

export const ledgerWish = { ready: 1, open: 2, rotate: 3 } as const;

export interface LedgerSettings {
  /** Where the sums are kept: the ledger's own directory. */
  readonly usageDirectory: string;
  /** Days of which sums are kept. */
  readonly usageDays: number;
  /** A site's file is rotated when it has this size. */
  readonly fileBytes: number;
  /** Nothing is written to logs while less than this is free in their file system. */
  readonly minFreeBytes: number;
  /** A directory of that file system. */
  readonly logDirectory: string;
}

export const wishBytes = 16;

export interface LedgerWish {
  readonly type: number;
  readonly site: number;
  /** fileKinds of account/batch.ts. */
  readonly kind: number;
}

export function writeWish(out: Buffer, { type, site, kind }: LedgerWish): void {
  out.fill(0, 0, wishBytes);
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(site, 4);
  out.writeUInt32LE(kind, 8);
}

/** Reads a wish of `length` bytes; undefined when it is none. */
export function readWish(buffer: Buffer, length: number): LedgerWish | undefined {
  if (length !== wishBytes) return undefined;
  const type = buffer.readUInt32LE(0);
  if (type < ledgerWish.ready || type > ledgerWish.rotate) return undefined;
  return { type, site: buffer.readUInt32LE(4), kind: buffer.readUInt32LE(8) };
}
