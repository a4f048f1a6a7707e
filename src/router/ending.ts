import type { Note } from '../control/worker-messages.js';
import type { RefusalReason } from './refusals.js';

/**
 * done: an answer was written to its end. refused: nothing has been written. cut: a part was written, and there is
 * no way to go on.
 */
export type Ending =
  | { readonly kind: 'done'; readonly note: Note | undefined }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly note: Note | undefined }
  | { readonly kind: 'cut'; readonly reason: RefusalReason; readonly note: Note | undefined };
