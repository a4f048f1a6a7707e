/** Colours, where they are wanted: on a terminal, unless NO_COLOR says no (https://no-color.org). */

const codes = { red: 31, yellow: 33, green: 32, bold: 1, dim: 2, inverse: 7 } as const;

export type Paint = (style: keyof typeof codes, text: string) => string;

/** ECMA-48, Select Graphic Rendition; `util.styleText` decides by itself whether it does anything, and here it is decided. */
export const coloured: Paint = (style, text) => `\u001b[${codes[style]}m${text}\u001b[0m`;
export const plainText: Paint = (_style, text) => text;

/** @param environment that of the process; NO_COLOR counts when it is there and not empty */
export function wantsColour(isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  return isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb';
}

/** Text from a log or a configuration as it may be shown on a terminal: control and direction marks cannot act there. */
export function shown(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (mark) => `\\u{${mark.codePointAt(0)?.toString(16) ?? ''}}`);
}
