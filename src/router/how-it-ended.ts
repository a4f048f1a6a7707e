/** How a request ended: a worker's word for it, as far as it agrees with what has been seen. Pure. */

import { type Note, noteComplete, notePeerGone, noteRefused } from '../control/worker-messages.js';
import type { Ending } from './ending.js';
import type { Exchange } from './exchange.js';
import { scriptReason } from './refusals.js';

export function endingOf(note: Note): Ending {
  if (note.type === noteRefused) return { kind: 'refused', reason: scriptReason(note.status), note };
  if ((note.flags & noteComplete) !== 0) return { kind: 'done', note };
  if ((note.flags & notePeerGone) !== 0) return { kind: 'cut', reason: 'visitor-left', note };
  return { kind: note.bytesOut > 0 ? 'cut' : 'refused', reason: 'worker-died', note };
}

/**
 * A worker's word for how its request ended counts as far as it agrees with what has been seen of its answer. A
 * worker that writes half a record and says "done" or "refused" would have what follows on a kept connection, our
 * page or another site's answer, read as the rest of its own. One that says anything else of a complete answer would
 * have the connection closed on the next site's visitor.
 */
export function asSeen(exchange: Exchange, ending: Ending): Ending {
  const { relay } = exchange;
  if (relay?.end === 'ended') return { kind: 'done', note: ending.note };
  const isBroken = ending.kind === 'done' && relay !== undefined;
  if (ending.kind === 'cut' || (ending.kind === 'done' && !isBroken)) return ending;
  const kind = exchange.answerBegan || relay?.began === true ? 'cut' : 'refused';
  return { kind, reason: ending.kind === 'done' ? 'worker-died' : ending.reason, note: ending.note };
}
