/** Reads guise.log: JSON, one event a line. */

import { readFileSync } from 'node:fs';

export interface LogLine {
  /** pino's number: 30 information, 40 warning, 50 error, 60 fatal. */
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** Every line of the file; a line that is not JSON is an error of its own. */
export function readLog(file: string): LogLine[] {
  return readText(file)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        return { level: 60, msg: `not a line of JSON: ${line}` };
      }
    });
}

/** The text of a file, or nothing when it cannot be read. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
