/** A diagnosis as text. What is worst comes first; of many that are alike a few are shown. */

import { formatFinding } from '../config/problem.js';
import type { Severity } from './check.js';
import type { Diagnosis, Told } from './examine.js';

const order: readonly Severity[] = ['error', 'warning', 'note'];
/** So many of one kind are shown in full. */
const most = 5;

export function describeDiagnosis(diagnosis: Diagnosis): string {
  const { found, sites, web, checks } = diagnosis;
  const sorted = order.flatMap((severity) => found.filter((one) => one.severity === severity));
  const blocks = [...groupById(sorted)].flatMap(([id, many]) => {
    const rest = many.length - most;
    return [
      ...many.slice(0, most).map(describeOne),
      ...(rest > 0 ? [`… and ${rest} more of ${id}: guise doctor --json shows all`] : []),
    ];
  });
  const counts = order.map((severity) =>
    count(found.filter((one) => one.severity === severity).length, severity),
  );
  const servers = web.length === 0 ? 'no web server found (--apache FILE, --nginx FILE)' : web.join(', ');
  const summary = `${checks} checks, ${count(sites, 'site')}, ${servers}: ${counts.join(', ')}`;
  return [...blocks, ...(blocks.length === 0 ? [] : ['']), summary].join('\n');
}

function groupById(found: readonly Told[]): Map<string, Told[]> {
  const groups = new Map<string, Told[]>();
  for (const one of found) groups.set(one.id, [...(groups.get(one.id) ?? []), one]);
  return groups;
}

function describeOne({ id, severity, about, ...finding }: Told): string {
  return visible(`${severity} ${id}: ${about}\n    ${formatFinding(finding)}`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Host names and paths come from files that others may have written: nothing in them may steer the terminal. */
function visible(text: string): string {
  return text.replace(/[^\n\P{Cc}]/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
