/**
 * A copy of a text, for one that is kept: the engine keeps a piece of a longer text as a reference into that, and one put
 * together as its parts.
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
