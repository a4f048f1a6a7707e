/** The metrics of the machine; docs/reference/metrics.md has the same rows, and a test compares the two. */

import { by, type MachineMetric, one, outcomes, states } from './metric.js';

export const machineMetrics: readonly MachineMetric[] = [
  {
    name: 'guise_build_info',
    help: 'The version that runs, as a label; always 1.',
    type: 'gauge',
    labels: ['version'],
    of: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  {
    name: 'guise_start_time_seconds',
    help: 'When the daemon started, in seconds since 1970. All counters begin there.',
    type: 'gauge',
    of: ({ startedAt }) => one(Date.parse(startedAt) / 1000),
  },
  {
    name: 'guise_router_up',
    help: 'Whether the router runs and answers.',
    type: 'gauge',
    of: ({ routers }) => one(routers.some(({ alive, answers }) => alive && answers) ? 1 : 0),
  },
  {
    name: 'guise_router_restarts',
    help: 'How often a router died and was started again.',
    type: 'counter',
    of: ({ routers }) => one(routers.reduce((sum, { restarts }) => sum + restarts, 0)),
  },
  {
    name: 'guise_router_connections',
    help: 'Connections of web servers to the router.',
    type: 'gauge',
    of: ({ routers }) => one(routers.reduce((sum, { connections }) => sum + (connections ?? 0), 0)),
  },
  {
    name: 'guise_sites',
    help: 'Sites in force; automatic ones while they have a process.',
    type: 'gauge',
    of: ({ totals, sites }) => one(totals?.sites ?? sites.length),
  },
  {
    name: 'guise_sites_parked',
    help: 'Sites whose file is wrong, and which are not in force.',
    type: 'gauge',
    of: ({ parked }) => one(parked.length),
  },
  {
    name: 'guise_workers',
    help: 'Workers of all sites.',
    type: 'gauge',
    labels: ['state'],
    of: ({ totals }) => states(totals?.workers),
  },
  {
    name: 'guise_workers_limit',
    help: 'Workers that all sites together may have: max_workers under [limits].',
    type: 'gauge',
    of: ({ totals }) => one(totals?.workers.limit ?? 0),
  },
  {
    name: 'guise_requests_queued',
    help: 'Requests of all sites that wait for a worker.',
    type: 'gauge',
    of: ({ totals }) => one(totals?.queued ?? 0),
  },
  {
    name: 'guise_requests',
    help: 'Requests of all sites, removed ones included, and of none.',
    type: 'counter',
    labels: ['outcome'],
    of: ({ totals }) => (totals === undefined ? [] : outcomes(totals)),
  },
  {
    name: 'guise_refusals',
    help: 'Requests that PHP did not answer to their end, by reason.',
    type: 'counter',
    labels: ['reason'],
    of: ({ totals }) => by('reason', totals?.refusals ?? {}),
  },
  {
    name: 'guise_siteless_refusals',
    help: 'Those of them that belong to no site: no key, a wrong one, no such site.',
    type: 'counter',
    labels: ['reason'],
    of: ({ siteless }) => by('reason', siteless?.refusals ?? {}),
  },
  {
    name: 'guise_memory_bytes',
    help: 'Memory of all templates and workers; what they share counts once.',
    type: 'gauge',
    of: ({ totals }) => one(totals?.memory.pssBytes ?? 0),
  },
  {
    name: 'guise_memory_limit_bytes',
    help: 'Memory that the workers of all sites together may take: memory under [limits].',
    type: 'gauge',
    of: ({ totals }) => (totals?.room === undefined ? [] : one(totals.room.limitBytes)),
  },
  {
    name: 'guise_memory_claimed_bytes',
    help: 'What counts against it: each worker as large as the largest of its site.',
    type: 'gauge',
    of: ({ totals }) => (totals?.room === undefined ? [] : one(totals.room.usedBytes)),
  },
  {
    name: 'guise_sites_waiting',
    help: 'Sites whose requests wait because all sites together have all that they may.',
    type: 'gauge',
    of: ({ totals }) => (totals?.room === undefined ? [] : one(totals.room.waiting)),
  },
];
