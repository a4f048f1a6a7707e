/** Reads `KEY=VALUE` from the command line into the form that a site's file has. */

import { parse } from 'smol-toml';
import { GuiseError } from '../error.js';

/**
 * Dotted keys with their values: `max_workers=4`, `time_limit=30s`, `env.APP_ENV=production`, `suffixes=[".php"]`.
 * Throws GuiseError USAGE.
 */
export function parseSettings(texts: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(texts.map(parseSetting));
}

function parseSetting(text: string): [string, unknown] {
  const equals = text.indexOf('=');
  const key = text.slice(0, Math.max(equals, 0)).trim();
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key)) {
    throw new GuiseError('USAGE', `${JSON.stringify(text)} is not KEY=VALUE`, {
      remedy: '--set max_workers=4',
    });
  }
  const value = text.slice(equals + 1).trim();
  // The environment has texts only: PHP=8 is not a number there.
  return [key, key.startsWith('env.') ? value : parseValue(value)];
}

/** A TOML value where it is one, else the text itself: nobody wants to quote twice in a shell. */
function parseValue(text: string): unknown {
  try {
    const { value, ...more } = parse(`value = ${text}`);
    return Object.keys(more).length === 0 ? value : text;
  } catch {
    return text;
  }
}
