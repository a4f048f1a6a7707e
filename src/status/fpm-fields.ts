/** The fields of php-fpm's status, in its order, with the names that each of its formats gives them. */

import type { PoolFigures, ProcessFigures } from './pool-figures.js';

/** A time is written as seconds, or as a date in the formats for people. */
export type Value = string | number | { readonly seconds: number } | { readonly cpu: number };

export interface Field<Of> {
  readonly name: string;
  readonly value: (of: Of) => Value;
}

export const poolFields: readonly Field<PoolFigures>[] = [
  { name: 'pool', value: ({ pool }) => pool },
  { name: 'process manager', value: () => 'ondemand' },
  { name: 'start time', value: ({ startTime }) => ({ seconds: startTime }) },
  { name: 'start since', value: ({ startSince }) => startSince },
  { name: 'accepted conn', value: ({ accepted }) => accepted },
  { name: 'listen queue', value: ({ queued }) => queued },
  { name: 'max listen queue', value: ({ mostQueued }) => mostQueued },
  { name: 'listen queue len', value: ({ queueLimit }) => queueLimit },
  { name: 'idle processes', value: ({ idle }) => idle },
  { name: 'active processes', value: ({ active }) => active },
  { name: 'total processes', value: ({ idle, active }) => idle + active },
  { name: 'max active processes', value: ({ mostActive }) => mostActive },
  { name: 'max children reached', value: ({ limitReached }) => limitReached },
  { name: 'slow requests', value: ({ slow }) => slow },
];

export interface ProcessOfPool {
  readonly process: ProcessFigures;
  readonly pool: PoolFigures;
}

/** php-fpm's text form alone writes `request URI`. */
export const processFields: readonly Field<ProcessOfPool>[] = [
  { name: 'pid', value: ({ process }) => process.pid },
  { name: 'state', value: ({ process }) => (process.isRunning ? 'Running' : 'Idle') },
  { name: 'start time', value: ({ pool }) => ({ seconds: pool.startTime }) },
  { name: 'start since', value: ({ pool }) => pool.startSince },
  { name: 'requests', value: () => 0 },
  { name: 'request duration', value: () => 0 },
  { name: 'request method', value: () => '-' },
  { name: 'request uri', value: () => '-' },
  { name: 'content length', value: () => 0 },
  { name: 'user', value: () => '-' },
  { name: 'script', value: () => '-' },
  { name: 'last request cpu', value: () => ({ cpu: 0 }) },
  { name: 'last request memory', value: () => 0 },
];

/** Names, types and explanations of the OpenMetrics form, for the fields that it has. The help of `up` is the pool's. */
export const metrics: readonly {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string | ((pool: PoolFigures) => string);
  readonly value: (pool: PoolFigures) => number;
  /** One of them has its lines the other way round in php-fpm. */
  readonly typeFirst?: true;
}[] = [
  {
    name: 'up',
    type: 'gauge',
    help: ({ pool }) => `Could pool ${pool} using a ondemand PM on PHP-FPM be reached?`,
    value: () => 1,
  },
  {
    name: 'start_since',
    type: 'counter',
    help: 'The number of seconds since FPM has started.',
    value: ({ startSince }) => startSince,
  },
  {
    name: 'accepted_connections',
    type: 'counter',
    help: 'The number of requests accepted by the pool.',
    value: ({ accepted }) => accepted,
  },
  {
    name: 'listen_queue',
    type: 'gauge',
    help: 'The number of requests in the queue of pending connections.',
    value: ({ queued }) => queued,
  },
  {
    name: 'max_listen_queue',
    type: 'counter',
    help: 'The maximum number of requests in the queue of pending connections since FPM has started.',
    value: ({ mostQueued }) => mostQueued,
  },
  {
    name: 'listen_queue_length',
    type: 'gauge',
    help: 'The size of the socket queue of pending connections.',
    value: ({ queueLimit }) => queueLimit,
    typeFirst: true,
  },
  {
    name: 'idle_processes',
    type: 'gauge',
    help: 'The number of idle processes.',
    value: ({ idle }) => idle,
  },
  {
    name: 'active_processes',
    type: 'gauge',
    help: 'The number of active processes.',
    value: ({ active }) => active,
  },
  {
    name: 'total_processes',
    type: 'gauge',
    help: 'The number of idle + active processes.',
    value: ({ idle, active }) => idle + active,
  },
  {
    name: 'max_active_processes',
    type: 'counter',
    help: 'The maximum number of active processes since FPM has started.',
    value: ({ mostActive }) => mostActive,
  },
  {
    name: 'max_children_reached',
    type: 'counter',
    help: "The number of times, the process limit has been reached, when pm tries to start more children (works only for pm 'dynamic' and 'ondemand').",
    value: ({ limitReached }) => limitReached,
  },
  {
    name: 'slow_requests',
    type: 'counter',
    help: "The number of requests that exceeded your 'request_slowlog_timeout' value.",
    value: ({ slow }) => slow,
  },
];
