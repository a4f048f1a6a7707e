/**
 * Requests in a second, latency, processor time and memory of every peer. For each page and number of connections
 * all peers are measured in turn, several rounds, so that a ratio compares what happened within the same minutes.
 */

import { get } from '../harness/http.js';
import { cpuMs, difference, kinds, pssKb, total } from './accounts.js';
import { type Arm, armNamed, arms, peerNamed } from './arms.js';
import { inLab, type Lab, say } from './lab.js';
import { generate } from './load.js';
import type { Options } from './options.js';
import { type Cell, cells } from './pages.js';
import { type Running, siteName } from './peer.js';
import { spread } from './statistics.js';
import type { Figures, Round, ThroughputResult } from './throughput-result.js';

type Servers = ReadonlyMap<string, Running>;

export async function throughput(options: Options): Promise<ThroughputResult> {
  return inLab(async (lab) => {
    const wanted =
      options.arms.length > 0
        ? options.arms.map(armNamed)
        : arms.filter((a) => !options.quick || a.quick === true);
    const { servers, missing } = await startAll(lab, wanted);
    const present = wanted.filter((arm) => servers.has(arm.peer));
    for (const cell of cells(options)) await checkPage(lab, cell, servers, present, missing);
    const measurable = present.filter((arm) => !(arm.peer in missing));
    const figures = await measureAll(lab, measurable, servers, options);
    return { kind: 'throughput', arms: wanted, missing, ...figures };
  }, true);
}

async function startAll(lab: Lab, wanted: readonly Arm[]) {
  const servers = new Map<string, Running>();
  const missing: Record<string, string> = {};
  for (const id of new Set(wanted.map((arm) => arm.peer))) {
    say(`starting ${id}`);
    try {
      servers.set(id, await peerNamed(id).start(lab, lab.place(id)));
    } catch (thrown) {
      missing[id] = `could not be set up: ${String(thrown)}`;
      say(`${id} ${missing[id]}`);
    }
  }
  return { servers, missing };
}

/** Each peer must serve the page as it is meant before anybody measures how fast. */
async function checkPage(
  lab: Lab,
  cell: Cell,
  servers: Servers,
  present: readonly Arm[],
  missing: Record<string, string>,
): Promise<void> {
  for (const id of new Set(present.map((arm) => arm.peer))) {
    const server = servers.get(id);
    if (server === undefined || id in missing) continue;
    const body = cell.page.upload === true ? lab.upload : undefined;
    const reply = await get(
      { port: server.port, host: siteName },
      cell.page.path,
      body === undefined ? {} : { body },
    );
    if (reply.status === 200 && cell.page.expect(reply.text())) continue;
    missing[id] = `does not serve ${cell.page.path}: status ${reply.status}, ${reply
      .text()
      .replaceAll(/<[^>]*>|\s+/g, ' ')
      .slice(0, 120)}`;
    say(`${id} ${missing[id]}`);
  }
}

async function measureAll(lab: Lab, measured: readonly Arm[], servers: Servers, options: Options) {
  const started = performance.now();
  const plan = cells(options);
  const failures: string[] = [];
  const figures: Figures[] = [];
  for (const [at, cell] of plan.entries()) {
    // When time runs short the remaining cells get fewer rounds, never none.
    const left = options.budgetSeconds - (performance.now() - started) / 1000;
    const round = measured.length * (options.seconds + 0.3);
    const rounds = Math.max(1, Math.min(options.rounds, Math.floor(left / (plan.length - at) / round)));
    const results = new Map<string, Round[]>();
    for (let n = 0; n < rounds; n += 1) {
      say(`${cell.page.title}, ${cell.connections} connections, round ${n + 1} of ${rounds}`);
      // Another one is first each time, so that nobody always follows the same one.
      const first = Math.floor((n * measured.length) / rounds);
      for (const arm of [...measured.slice(first), ...measured.slice(0, first)]) {
        try {
          const result = await measureOnce(lab, arm, servers.get(arm.peer) as Running, cell, options.seconds);
          results.set(arm.id, [...(results.get(arm.id) ?? []), result]);
        } catch (thrown) {
          failures.push(`${arm.id}, ${cell.page.title}, ${cell.connections} connections: ${String(thrown)}`);
          say(`FAILED: ${failures.at(-1)}`);
          results.set(arm.id, [...(results.get(arm.id) ?? [])]);
        }
      }
    }
    for (const arm of measured) figures.push(...summarize(arm, cell, results));
  }
  return { figures, failures };
}

async function measureOnce(lab: Lab, arm: Arm, server: Running, cell: Cell, seconds: number): Promise<Round> {
  const { page, connections } = cell;
  const before = cpuMs(server.accounts);
  const load = {
    port: server.port,
    path: page.path,
    host: siteName,
    connections,
    seconds,
    client: arm.client,
  };
  const upload = page.upload === true ? { upload: `${lab.directory}/upload.bin` } : {};
  const { requests, perSecond, p50, p99 } = await generate({ ...load, ...upload }, lab.directory);
  const memory = pssKb(server.accounts);
  const cpu = difference(cpuMs(server.accounts), before);
  const perRequest = (ms: number): number => (ms * 1000) / requests;
  const split = Object.fromEntries(kinds.map((kind) => [kind, perRequest(cpu[kind])]));
  return { perSecond, p50, p99, cpuUs: perRequest(total(cpu)), split, pssKb: total(memory) };
}

function summarize(arm: Arm, cell: Cell, results: ReadonlyMap<string, readonly Round[]>): Figures[] {
  const rounds = results.get(arm.id) ?? [];
  if (rounds.length === 0) return [];
  const reference = results.get(arm.against) ?? [];
  const of = (value: (round: Round) => number) => spread(rounds.map(value));
  const pairs = rounds.flatMap((round, n) => {
    const other = reference[n];
    return other === undefined ? [] : [round.perSecond / other.perSecond];
  });
  return [
    {
      arm: arm.id,
      page: cell.page.id,
      connections: cell.connections,
      rounds: rounds.length,
      perSecond: of((round) => round.perSecond),
      p50: of((round) => round.p50),
      p99: of((round) => round.p99),
      cpuUs: of((round) => round.cpuUs),
      split: Object.fromEntries(kinds.map((kind) => [kind, of((round) => round.split[kind] ?? 0).median])),
      pssKb: of((round) => round.pssKb),
      ...(pairs.length === 0 ? {} : { ratio: spread(pairs) }),
    },
  ];
}
