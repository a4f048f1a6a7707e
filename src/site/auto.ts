/**
 * Sites without a file: a directory pattern stands for as many sites as it has matches, each running as its
 * directory's owner. Which one is meant is decided by where the script lies. Only text is looked at here.
 */

/** `/home/STAR/public_html` (STAR: an asterisk) is split into `/home/` and `/public_html`; the star is one whole component. */
export interface AutoPattern {
  readonly before: string;
  readonly after: string;
}

export interface AutoMatch {
  /** Which pattern, counted from 0. */
  readonly pattern: number;
  /** What stands in the place of the star. */
  readonly name: string;
}

const longestName = 100;
/** No leading dot: neither `..` nor a hidden directory is a site. */
const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** A pattern's text: absolute, and with exactly one component that is a star. Undefined when it is none. */
export function parseAutoPattern(text: string): AutoPattern | undefined {
  const components = text.split('/');
  const star = components.indexOf('*');
  const rest = components.filter((_, index) => index !== star && index !== 0);
  const isSound =
    components[0] === '' && star > 1 && rest.every((c) => c !== '' && c !== '..' && !c.includes('*'));
  if (!isSound) return undefined;
  const after = components.slice(star + 1).map((component) => `/${component}`);
  return { before: `${components.slice(0, star).join('/')}/`, after: after.join('') };
}

export function isAutoName(name: string): boolean {
  return name.length <= longestName && namePattern.test(name);
}

export function autoDirectory(pattern: AutoPattern, name: string): string {
  return `${pattern.before}${name}${pattern.after}`;
}

/** The name that an automatic site is known by in status, logs and directories. No configured site can have it. */
export function autoSiteName({ pattern, name }: AutoMatch): string {
  return pattern === 0 ? `~${name}` : `~${pattern}~${name}`;
}

export function isAutoSiteName(name: string): boolean {
  return name.startsWith('~');
}

/**
 * The first pattern that a script lies beneath.
 *
 * @param script SCRIPT_FILENAME as received: with `proxy:fcgi://host` before it, or doubled slashes
 */
export function matchAuto(patterns: readonly AutoPattern[], script: string): AutoMatch | undefined {
  const path = script.replace(/^proxy:(fcgi|balancer):\/\/[^/]*/, '').replace(/\/{2,}/g, '/');
  for (const [pattern, { before, after }] of patterns.entries()) {
    if (!path.startsWith(before)) continue;
    const rest = path.slice(before.length);
    const end = rest.indexOf('/');
    const name = rest.slice(0, end);
    if (end > 0 && isAutoName(name) && rest.startsWith(`${after}/`, end)) return { pattern, name };
  }
  return undefined;
}
