/** What somebody should look at, worst first, in words. Pure. */

import type { SiteStatus, StatusReport } from '../control/api.js';
import type { History } from './history.js';

export interface Problem {
  readonly level: 'bad' | 'warn';
  /** The site, where it is about one. */
  readonly site?: string;
  readonly text: string;
  /** A command, or what to look at. */
  readonly remedy?: string;
}

const fullAt = 0.9;
/** Of requests in the last minute. */
const errorShare = 0.1;

export function problemsOf(report: StatusReport, history: History): Problem[] {
  const all = [
    ...routers(report),
    ...report.parked.map(({ name, problems }): Problem => {
      const [first] = problems;
      const found = first?.found ? `: found ${first.found}` : '';
      return {
        level: 'bad',
        site: name,
        text: `is parked: its file is wrong. ${first?.message ?? ''}${found}`,
        ...(first?.remedy === undefined ? {} : { remedy: first.remedy }),
      };
    }),
    ...report.sites.flatMap((site) => siteProblems(site, report, history)),
    ...machine(report),
  ];
  return [...all.filter(({ level }) => level === 'bad'), ...all.filter(({ level }) => level === 'warn')];
}

function routers({ routers }: StatusReport): Problem[] {
  return routers.flatMap(({ alive, answers, restarts }): Problem[] => {
    if (!alive) return [{ level: 'bad', text: 'The router is not running; it is being started again.' }];
    if (!answers) return [{ level: 'bad', text: 'The router does not answer: figures are old.' }];
    return restarts === 0
      ? []
      : [
          {
            level: 'warn',
            text: `The router has died ${restarts} times since the daemon started.`,
            remedy: 'see guise.log',
          },
        ];
  });
}

function machine({ totals }: StatusReport): Problem[] {
  if (totals === undefined || totals.workers.total < totals.workers.limit) return [];
  const text = `All sites together have as many workers as they may: ${totals.workers.limit}.`;
  return [{ level: 'bad', text, remedy: 'max_workers under [limits] in guise.toml, then guise reload' }];
}

function siteProblems(site: SiteStatus, report: StatusReport, history: History): Problem[] {
  const { name, state, reason, workers, queue, tmp, lastProblem } = site;
  const found: Problem[] = [];
  const say = (level: Problem['level'], text: string, remedy?: string): void => {
    found.push({ level, site: name, text, ...(remedy === undefined ? {} : { remedy }) });
  };
  if (state === 'throttled') {
    say(
      'bad',
      `is throttled: its PHP does not start. ${reason ?? ''}`,
      "guise check, and the end of the site's php.log",
    );
  }
  if (state === 'quarantined')
    say(
      'bad',
      `is in quarantine: it failed too often in a row. ${reason ?? ''}`,
      `guise site enable ${name}`,
    );
  if (queue.length > 0 && workers.busy >= workers.limit) {
    const text = `has all ${workers.limit} workers busy, and ${queue.length} of at most ${queue.limit} requests wait.`;
    say('warn', text, `guise site set ${name} --set max_workers=${workers.limit * 2}`);
  }
  if (tmp !== undefined && tmp.used > tmp.size * fullAt) {
    say('warn', 'has its temporary directory nearly full.', `guise site set ${name} --set tmp_size=SIZE`);
  }
  const { errors, perSecond, overMs } = history.site(report, name);
  const requests = (perSecond * overMs) / 1000;
  if (errors >= 3 && errors > requests * errorShare) {
    const why = Object.entries(site.refusals).sort(([, a], [, b]) => b - a)[0]?.[0];
    const text = `has ${errors} errors in ${Math.round(requests)} requests${why === undefined ? '' : `, mostly ${why}`}.`;
    say('warn', `${text} ${lastProblem ?? ''}`.trim(), 'see docs/reference/refusals.md');
  }
  return found;
}
