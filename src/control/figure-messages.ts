/**
 * The message in which the router says the figures of one site: `figuresBytes`, numbers only. Site 0 stands for
 * requests that belong to no site. The router is gossip to the master: what is no count becomes 0.
 */

import { type Figures, figureCount, noFigures } from '../account/figures.js';
import { toMaster } from './router-messages.js';

const headerBytes = 16;
export const figuresBytes = headerBytes + 8 * figureCount;

export interface FiguresMessage {
  readonly site: number;
  /** The router forgets the site: no further figures of it follow. */
  readonly isLast: boolean;
  readonly figures: Figures;
}

export function writeFigures(out: Buffer, { site, isLast, figures }: FiguresMessage): void {
  out.writeUInt32LE(toMaster.siteFigures, 0);
  out.writeUInt32LE(site, 4);
  out.writeUInt32LE(isLast ? 1 : 0, 8);
  out.writeUInt32LE(0, 12);
  for (let i = 0; i < figureCount; i++) out.writeDoubleLE(figures[i] ?? 0, headerBytes + 8 * i);
}

/** Reads a message of `length` bytes; undefined when it is none. */
export function readFigures(buffer: Buffer, length: number): FiguresMessage | undefined {
  if (length !== figuresBytes || buffer.readUInt32LE(0) !== toMaster.siteFigures) return undefined;
  const figures = noFigures();
  for (let i = 0; i < figureCount; i++) {
    const value = buffer.readDoubleLE(headerBytes + 8 * i);
    if (Number.isSafeInteger(value) && value > 0) figures[i] = value;
  }
  return { site: buffer.readUInt32LE(4), isLast: buffer.readUInt32LE(8) === 1, figures };
}
