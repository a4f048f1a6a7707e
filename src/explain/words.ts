/** An explanation as text, for a terminal. */

import { type Finding, formatFinding } from '../config/problem.js';
import { quoteShell } from '../config/toml-file.js';
import { refusalKinds } from '../router/refusals.js';
import type { Explanation } from './checks.js';
import type { RefusalRecord } from './refusal-record.js';
import type { Step } from './step.js';

export function describeExplanation(explanation: Explanation): string {
  const { ok, reason, script = '', user = '', steps } = explanation;
  const lines = describeSteps(steps);
  const verdict =
    reason === undefined ? 'would fail' : `would be refused: ${refusalKinds[reason].status} ${reason}`;
  return [...lines, '', ok ? `${visible(script)} would run as ${user}` : `the request ${verdict}`].join('\n');
}

export function describeSteps(steps: readonly Step[]): string[] {
  const width = Math.max(...steps.map(({ step }) => step.length));
  return steps.flatMap((step) => describeStep(step, width));
}

function describeStep({ step, ok, about, findings = [] }: Step, width: number): string[] {
  const head = `${ok ? 'ok  ' : 'FAIL'}  ${step.padEnd(width)}  ${visible(about)}`;
  return [head, ...findings.flatMap((finding) => describeFinding(finding).map((line) => `      ${line}`))];
}

function describeFinding({ message, found, expected, remedy }: Finding): string[] {
  const safe = {
    message: visible(message),
    found: visible(found),
    expected: visible(expected),
    remedy: visible(remedy),
  };
  return formatFinding(safe).split('\n');
}

export function describeRecord(record: RefusalRecord, finding: Finding): string {
  const { id, time, status, reason, site, script, uri, host, client } = record;
  const facts = Object.entries({ site, script, uri, host, client })
    .filter((fact): fact is [string, string] => fact[1] !== undefined)
    .map(([name, value]) => `  ${name}: ${visible(value)}`);
  const lines = [`${id}: ${status} ${reason}, ${time}`, ...facts, '', ...describeFinding(finding)];
  if (script === undefined || !script.startsWith('/')) return lines.join('\n');
  const named = site === undefined || site.startsWith('~') ? '' : ` --site ${quoteShell(site)}`;
  return [...lines, '', `How it is now: guise explain ${visible(quoteShell(script))}${named}`].join('\n');
}

/** Paths and URIs are what strangers made them: nothing in them may steer the terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
