/**
 * Turns what zod says about a value into problems with a line, what was found, what was expected and what
 * mends it. What is expected stands beside each key in its schema (`described`), so there is one place for it.
 */

import { z } from 'zod';
import { type Path, type Places, placeOf } from './locate.js';
import type { Problem } from './problem.js';
import { suggest } from './suggest.js';

/** Gives a schema the words for "expected" and a line that would be right. */
export function described<T extends z.ZodType>(schema: T, expected: string, example: string) {
  return schema.meta({ description: expected, example });
}

interface Description {
  readonly expected: string;
  readonly example: string;
}

export interface Source {
  readonly file: string;
  readonly places: Places;
  readonly raw: unknown;
  readonly schema: z.ZodType;
}

export function problemsOf(error: z.ZodError, source: Source): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, source));
}

function problemsOfIssue(issue: z.core.$ZodIssue, source: Source): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(issue.path, key, source));
  }
  const name = issue.path.map(String).join('.');
  const found = valueAt(source.raw, issue.path);
  const description = descriptionAt(source.schema, issue.path);
  const base = {
    file: source.file,
    line: placeOf(source.places, issue.path).line,
    expected: description.expected,
  };
  if (found === undefined) {
    return [
      { ...base, message: `${name} is missing`, found: '', remedy: `add the line: ${description.example}` },
    ];
  }
  return [
    {
      ...base,
      message: `${name} ${sentence(issue)}`,
      found: show(found),
      remedy: description.example === '' ? '' : `write for example: ${description.example}`,
    },
  ];
}

function sentence(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_union':
      return 'is of the wrong type';
    case 'too_big':
      return 'is too large';
    case 'too_small':
      return 'is too small';
    case 'custom':
      return issue.message;
    default:
      return 'has a value that is not known';
  }
}

function unknownKey(path: Path, key: string, source: Source): Problem {
  const known = keysAt(source.schema, path);
  const meant = suggest(key, known);
  const where = path.length === 0 ? '' : ` in [${path.map(String).join('.')}]`;
  return {
    file: source.file,
    line: placeOf(source.places, [...path, key]).line,
    message: `unknown key ${JSON.stringify(key)}${where}`,
    found: key,
    expected: meant === undefined ? `one of ${known.join(', ')}` : `${meant} (did you mean that?)`,
    remedy: meant === undefined ? 'remove the line' : `rename it to ${meant}, or remove the line`,
  };
}

/** What is around the value itself: optional, defaults and the like. */
function core(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodExactOptional)
    inner = inner.unwrap() as z.ZodType;
  return inner;
}

function within(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const inner = core(schema);
  if (inner instanceof z.ZodObject) return (inner.shape as Record<PropertyKey, z.ZodType | undefined>)[key];
  if (inner instanceof z.ZodRecord) return inner.valueType as z.ZodType;
  if (inner instanceof z.ZodArray) return inner.element as z.ZodType;
  return undefined;
}

function keysAt(schema: z.ZodType, path: Path): string[] {
  let inner: z.ZodType | undefined = schema;
  for (const key of path) inner = inner === undefined ? undefined : within(inner, key);
  const object = inner === undefined ? undefined : core(inner);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

/** The words of the innermost schema on the way that has any. */
export function descriptionAt(schema: z.ZodType, path: Path): Description {
  let found: Description = { expected: '', example: '' };
  let inner: z.ZodType | undefined = schema;
  for (const key of path) {
    inner = within(inner, key);
    if (inner === undefined) return found;
    const meta: Record<string, unknown> | undefined = inner.meta();
    if (typeof meta?.description === 'string') {
      found = { expected: meta.description, example: typeof meta.example === 'string' ? meta.example : '' };
    }
  }
  return found;
}

function valueAt(raw: unknown, path: Path): unknown {
  let inner = raw;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Record<PropertyKey, unknown>)[key];
  }
  return inner;
}

/** A value in the words of TOML, short enough for a line. */
export function show(value: unknown): string {
  if (value instanceof Date) return `the date ${value.toISOString()}`;
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
