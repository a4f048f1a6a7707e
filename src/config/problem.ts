/**
 * What is wrong with a configuration file. A problem is a value and never an exception, because one file may
 * hold many of them and a person wants to see them all at once.
 */

/** A problem as such, without its place. */
export interface Finding {
  /** One sentence: `unknown key "max_worker"`. */
  readonly message: string;
  /** What the file says, in a few words. Empty where there is nothing to show. */
  readonly found: string;
  /** What would have been right. */
  readonly expected: string;
  /** A command to run, or a line to write, that mends it. */
  readonly remedy: string;
}

export interface Problem extends Finding {
  /** The file at fault, absolute. */
  readonly file: string;
  /** The line of the key at fault, counted from 1; 1 where the whole file is meant. */
  readonly line: number;
}

/** A problem as a compiler would print it: the place and the sentence first, the rest indented below. */
export function formatProblem(problem: Problem): string {
  return `${problem.file}:${problem.line}: ${formatFinding(problem)}`;
}

/** A problem without its place, for settings that are in no file yet. */
export function formatFinding(finding: Finding): string {
  const lines = [finding.message];
  if (finding.found !== '') lines.push(`    found:    ${finding.found}`);
  if (finding.expected !== '') lines.push(`    expected: ${finding.expected}`);
  if (finding.remedy !== '') lines.push(`    remedy:   ${finding.remedy}`);
  return lines.join('\n');
}
