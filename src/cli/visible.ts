/** Texts that strangers chose, for a terminal. */

/** What a terminal or an editor acts upon, and what turns the direction of text. */
const loud =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Such characters are written as `\x1b` or `\u202e`; the text is cut to `most` characters. */
export function visible(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return short.replace(loud, (one) => {
    const digits = one.charCodeAt(0).toString(16);
    return digits.length < 3 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
  });
}
