/** Reads the forms of a page as a browser would, as far as tests need it. */

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#039': "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(#039|\w+);/g, (whole, name: string) => entities[name] ?? whole);
}

export interface Form {
  readonly action: string;
  readonly method: string;
  /** Hidden and text fields with their values, and text areas. */
  readonly fields: Readonly<Record<string, string>>;
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : decodeEntities(found);
}

/** The form with this id. Throws when the page has none. */
export function formOf(page: string, id: string): Form {
  const whole = new RegExp(`<form[^>]*\\sid="${id}"[\\s\\S]*?</form>`).exec(page)?.[0];
  if (whole === undefined) throw new Error(`the page has no form ${id}`);
  const open = whole.slice(0, whole.indexOf('>') + 1);
  const fields: Record<string, string> = {};
  for (const [tag] of whole.matchAll(/<input[^>]*>/g)) {
    const name = attribute(tag, 'name');
    const kind = attribute(tag, 'type') ?? 'text';
    if (name !== undefined && (kind === 'hidden' || kind === 'text'))
      fields[name] = attribute(tag, 'value') ?? '';
  }
  for (const [tag, text] of whole.matchAll(/<textarea[^>]*>([\s\S]*?)<\/textarea>/g)) {
    const name = attribute(tag, 'name');
    if (name !== undefined) fields[name] = decodeEntities(text ?? '');
  }
  return { action: attribute(open, 'action') ?? '', method: attribute(open, 'method') ?? 'get', fields };
}
