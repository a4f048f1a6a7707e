/**
 * What somebody should look at, from a status report: in words, with the command that helps, the worst first. Pure.
 */

import type { Problem } from '../config/problem.js';
import { quoteShell } from '../config/toml-file.js';
import type { SiteStatus, StatusReport } from '../control/api.js';
import { fitting, fittingInWords, inMegabytes } from '../pool/advice.js';

export interface Attention {
  /** bad: something does not run, or requests are lost. near: it still runs, and not for long. */
  readonly level: 'bad' | 'near';
  /** The site that it is about; absent: guise itself. */
  readonly site?: string;
  readonly text: string;
  readonly remedy: string;
}

export interface Machine {
  /** Where the logs are. */
  readonly log: string;
  /** Workers that all sites together may have; absent where the caller does not see all sites. */
  readonly maxWorkers?: number;
}

/** From this part of a limit on it is near. */
const near = 0.8;

export function attentions(report: StatusReport, machine: Machine): Attention[] {
  const all = [
    ...ofRouters(report, machine),
    ...report.parked.map(
      (parked): Attention => ({
        level: 'bad',
        site: parked.name,
        text: `its file is wrong, so it does not run: ${parked.problems.map(inOneLine).join('; ')}`,
        remedy: 'guise check',
      }),
    ),
    ...report.kept.map(
      (kept): Attention => ({
        level: 'near',
        site: kept.name,
        text: `its file is wrong; it runs on as the file was before: ${kept.problems.map(inOneLine).join('; ')}`,
        remedy: 'guise check',
      }),
    ),
    ...report.sites.flatMap((site) => ofSite(site, machine)),
    ...report.sites.flatMap((site) => ofSize(site, report)),
    ...ofRoom(report),
    ...ofMachine(report, machine),
  ];
  return [...all.filter(({ level }) => level === 'bad'), ...all.filter(({ level }) => level === 'near')];
}

function ofRouters(report: StatusReport, { log }: Machine): Attention[] {
  const remedy = `tail ${quoteShell(`${log}/guise.log`)}`;
  return report.routers.flatMap(({ alive, answers, restarts }): Attention[] => {
    if (!alive) return [{ level: 'bad', text: 'the router is not running: no request is answered', remedy }];
    if (!answers) return [{ level: 'bad', text: 'the router does not answer: its figures are old', remedy }];
    if (restarts === 0) return [];
    return [{ level: 'near', text: `the router has been restarted ${times(restarts)}`, remedy }];
  });
}

/** Sites that wait although their own limits would allow more. */
function ofRoom({ totals }: StatusReport): Attention[] {
  const room = totals?.room;
  if (totals === undefined || room === undefined || room.waiting === 0) return [];
  const memory = `${inMegabytes(room.usedBytes)} of ${inMegabytes(room.limitBytes)}`;
  const text = `${count(room.waiting, 'site')} wait for room: all together have ${totals.workers.total} of ${totals.workers.limit} workers, and ${memory}`;
  const remedy = 'more memory, or max_workers and memory under [limits] in guise.toml and guise reload';
  return [{ level: 'near', text, remedy }];
}

/** Nobody has to know how large his workers are to see that they cannot all run. */
function ofSize({ name, workers }: SiteStatus, { totals }: StatusReport): Attention[] {
  const limitBytes = totals?.room?.limitBytes;
  if (limitBytes === undefined || workers.bytes === undefined) return [];
  const most = fitting(limitBytes, workers.bytes);
  if (most >= workers.limit) return [];
  const text = `it may have ${workers.limit} workers, and ${fittingInWords(limitBytes, workers.bytes)}`;
  return [
    {
      level: 'near',
      site: name,
      text,
      remedy: `guise site set ${quoteShell(name)} --set max_workers=${most}`,
    },
  ];
}

function ofMachine(report: StatusReport, { maxWorkers }: Machine): Attention[] {
  const total = report.sites.reduce((sum, { workers }) => sum + workers.total, 0);
  if (maxWorkers === undefined || total < near * maxWorkers) return [];
  const text = `${total} workers of the ${maxWorkers} that all sites together may have`;
  return [
    {
      level: 'near',
      text,
      remedy: 'more memory, or [limits] max_workers in guise.toml and guise reload',
    },
  ];
}

function ofSite(site: SiteStatus, { log }: Machine): Attention[] {
  const { name, state, workers, queue, tmp, crashed } = site;
  const about = { site: name };
  const word = quoteShell(name);
  const phpLog = `tail ${quoteShell(`${log}/sites/${name}/php.log`)}`;
  const found: Attention[] = [];
  if (state === 'throttled') {
    const why = site.reason ?? site.lastProblem ?? 'no reason is known';
    found.push({
      ...about,
      level: 'bad',
      text: `PHP does not start, the next attempt waits: ${why}`,
      remedy: phpLog,
    });
  }
  if (state === 'quarantined') {
    const why = site.reason ?? 'no reason is known';
    const text = `it is in quarantine, and its visitors get an error: ${why}`;
    found.push({ ...about, level: 'bad', text, remedy: `${phpLog}; then guise site enable ${word}` });
  }
  if (queue.limit > 0 && queue.length >= near * queue.limit) {
    const text = `${queue.length} requests wait, and from ${queue.limit} on more are refused`;
    found.push({ ...about, level: 'bad', text, remedy: more(word, 'max_workers', workers.limit) });
  } else if (workers.busy >= workers.limit && queue.length > 0) {
    const text = `all ${workers.limit} workers are busy, and ${count(queue.length, 'request')} wait`;
    found.push({ ...about, level: 'near', text, remedy: more(word, 'max_workers', workers.limit) });
  }
  if (tmp !== undefined && tmp.used >= near * tmp.size) {
    const text = `its temporary directory is full to ${Math.floor((100 * tmp.used) / tmp.size)} %`;
    found.push({ ...about, level: 'near', text, remedy: `guise site set ${word} --set tmp_size=SIZE` });
  }
  if (crashed > 0) {
    const last = site.lastProblem === undefined ? '' : `: ${site.lastProblem}`;
    found.push({
      ...about,
      level: 'near',
      text: `${count(crashed, 'request')} lost to a crash${last}`,
      remedy: phpLog,
    });
  } else if (!isTold.has(state) && site.lastProblem !== undefined) {
    found.push({ ...about, level: 'near', text: site.lastProblem, remedy: phpLog });
  }
  return found;
}

/** States whose reason has been said already. */
const isTold: ReadonlySet<SiteStatus['state']> = new Set(['throttled', 'quarantined', 'disabled']);

function inOneLine({ file, line, message, found }: Problem): string {
  return `${file}:${line}: ${message}${found === '' ? '' : ` (found: ${found})`}`;
}

function more(word: string, key: string, limit: number): string {
  return `guise site set ${word} --set ${key}=${limit * 2}`;
}

function times(number: number): string {
  return number === 1 ? 'once' : `${number} times`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
