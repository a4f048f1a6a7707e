/**
 * Many sites on one server, nearly all of them quiet: start, memory, adding one, the first request, and 200 active
 * ones in turn. Beside it php-fpm with as many pools on demand. No web server takes part.
 */

import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs, difference, pssKb, total } from './accounts.js';
import { type Crowd, crowdOfFpm, crowdOfGuise } from './crowds.js';
import type { Density, DensityResult } from './density-result.js';
import { inLab, type Lab, say } from './lab.js';
import type { Options } from './options.js';
import { percentile, spread } from './statistics.js';
import { askInTurn, askTarget } from './turn.js';

/** A document root for each site. */
export interface Land {
  readonly lab: Lab;
  readonly directory: string;
  /** Those that are there from the start. */
  readonly names: readonly string[];
  /** Those that are added later. */
  readonly further: readonly string[];
  root(name: string): string;
}

const activeSites = 200;
const furtherSites = 9;
/** A server that answers may still be loading its programs. */
const settleMs = 2000;

export async function density(options: Options): Promise<DensityResult> {
  const counts = options.sites.length > 0 ? options.sites : options.quick ? [100] : [100, 1000, 5000];
  const rows: Density[] = [];
  const failures: string[] = [];
  const servers = [
    ['guise', crowdOfGuise],
    ['php-fpm', crowdOfFpm],
  ] as const;
  for (const [server, crowd] of servers) {
    if (options.arms.length > 0 && !options.arms.includes(server)) continue;
    try {
      const alone = await inLab(async (lab) => quietKb(await crowd(layLand(lab, 1))));
      for (const sites of counts) {
        say(`${server} with ${sites} sites`);
        const row = await inLab(async (lab) => measure(await crowd(layLand(lab, sites)), options.seconds));
        const perSiteKb = (row.quietKb - alone) / Math.max(1, sites - 1);
        rows.push({ server, sites, perSiteKb, ...row });
      }
    } catch (thrown) {
      failures.push(`${server}: ${String(thrown)}`);
      say(`FAILED: ${failures.at(-1)}`);
    }
  }
  return { kind: 'density', rows, failures };
}

/** Roots of sites, and of those that are added later. */
function layLand(lab: Lab, sites: number): Land {
  const directory = lab.place('land');
  const all = Array.from({ length: sites + furtherSites }, (_, n) => `site${n}.test`);
  const root = (name: string): string => `${directory}/www/${name}`;
  for (const name of all) {
    mkdirSync(root(name), { recursive: true, mode: 0o755 });
    writeFileSync(`${root(name)}/index.php`, '<?php echo "hello";');
    for (const path of [root(name), `${root(name)}/index.php`]) chownSync(path, lab.user.uid, lab.user.gid);
  }
  return { lab, directory, names: all.slice(0, sites), further: all.slice(sites), root };
}

async function quietKb(crowd: Crowd): Promise<number> {
  await delay(settleMs);
  return total(pssKb(crowd.accounts));
}

async function measure(
  crowd: Crowd,
  seconds: number,
): Promise<Omit<Density, 'server' | 'sites' | 'perSiteKb'>> {
  const settledKb = await quietKb(crowd);
  const added: number[] = [];
  for (const add of crowd.adds) {
    const began = performance.now();
    await add();
    added.push(performance.now() - began);
  }
  const { median: addMs, min: addMinMs, max: addMaxMs } = spread(added);
  const first: number[] = [];
  for (const target of crowd.targets.slice(0, 5)) first.push(await askTarget(target));
  const active = crowd.targets.slice(0, activeSites);
  // Once round before anything is counted, so that every site has its processes.
  for (const target of active) await askTarget(target);
  const before = cpuMs(crowd.accounts);
  const { requests, latencies } = await askInTurn(active, 8, Math.max(2, seconds));
  const cpu = total(difference(cpuMs(crowd.accounts), before));
  return {
    startMs: crowd.startMs,
    quietKb: settledKb,
    addMs,
    ...(added.length > 1 ? { addMinMs, addMaxMs } : {}),
    firstMs: spread(first).median,
    activeCpuUs: (cpu * 1000) / requests,
    activePerSecond: requests / Math.max(2, seconds),
    activeP99: percentile(latencies, 0.99),
  };
}
