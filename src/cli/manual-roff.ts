/** Pieces of a manual page in the man macros of groff, man(7) and groff_man(7). */

/** Text for a page: nothing in it has a meaning to roff. */
export function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll(
      /[^\0-\x7f]/gu,
      (letter) => `\\[u${letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replaceAll(/^\./gm, '\\&.');
}

export function title(name: string, section: number, version: string): string {
  return `.TH ${text(name).toUpperCase()} ${section} "" "guise ${version}" "guise manual"`;
}

export function heading(words: string): string {
  return `.SH ${text(words).toUpperCase()}`;
}

export function subheading(words: string): string {
  return `.SS "${text(words)}"`;
}

export function paragraph(words: string): string {
  return `.PP\n${text(words)}`;
}

/** A term in bold, and what it means. */
export function tagged(term: string, ...meaning: readonly string[]): string {
  return `.TP\n.B "${text(term)}"\n${meaning.map(text).join('\n.br\n')}`;
}

/** Lines as they are to be typed. */
export function literal(lines: string): string {
  return `.PP\n.in +4n\n.nf\n${text(lines)}\n.fi\n.in`;
}
