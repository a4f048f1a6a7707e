import t from 'tap';
import { type Question, questionOf } from '../../src/status/request.js';

const paths = { status: '/guise-status', ping: '/ping' };
const cases: readonly (readonly [string, Question | undefined])[] = [
  ['/ping', { kind: 'ping' }],
  ['/ping?x', { kind: 'ping' }],
  ['/guise-status', { kind: 'status', rest: '', format: 'text', full: false }],
  ['/guise-status?full', { kind: 'status', rest: '', format: 'text', full: true }],
  ['/guise-status?json&xml', { kind: 'status', rest: '', format: 'xml', full: false }],
  [
    '/guise-status?site=a.test&json=1',
    { kind: 'status', rest: '', format: 'json', full: false, site: 'a.test' },
  ],
  ['/guise-status?site=', { kind: 'status', rest: '', format: 'text', full: false }],
  [
    '/guise-status?site=%3Cscript%3E',
    { kind: 'status', rest: '', format: 'text', full: false, site: '<script>' },
  ],
  ['/guise-status/metrics', { kind: 'status', rest: 'metrics', format: 'text', full: false }],
  ['/guise-statusx', undefined],
  ['/', undefined],
  ['', undefined],
];

for (const [url, expected] of cases) t.same(questionOf(url, paths), expected, url);
