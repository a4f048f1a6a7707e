import t from 'tap';
import { attentions, type Machine } from '../../src/cli/attention.js';
import { coloured, plainText, shown, wantsColour } from '../../src/cli/paint.js';
import { adviceOn, siteScreen, statusScreen } from '../../src/cli/status-view.js';
import type { SiteStatus, StatusReport } from '../../src/control/api.js';
import { siteRow, statusReport } from './report.js';

const machine: Machine = { log: '/var/log/guise', maxWorkers: 100 };

/** What is said about a site that is well but for this. */
function about(changes: Partial<SiteStatus>): string[] {
  const report = statusReport([{ ...siteRow('a.example'), ...changes }]);
  return attentions(report, machine).map(({ level, text, remedy }) => `${level}: ${text}: ${remedy}`);
}

const workers = siteRow('x').workers;
const queue = siteRow('x').queue;

t.test('a site that is well needs nobody', async (t) => {
  t.same(about({}), []);
  t.same(about({ queue: { ...queue, length: 5 } }), [], 'nor one where some wait while workers start');
  t.same(about({ workers: { ...workers, busy: 8 } }), [], 'nor one that is as busy as it may be');
});

t.test('each thing that somebody should know, with what helps', async (t) => {
  t.same(about({ state: 'throttled', reason: 'exit code 1' }), [
    'bad: PHP does not start, the next attempt waits: exit code 1: tail /var/log/guise/sites/a.example/php.log',
  ]);
  t.same(about({ queue: { ...queue, length: 80 } }), [
    'bad: 80 requests wait, and from 100 on more are refused: guise site set a.example --set max_workers=16',
  ]);
  t.same(about({ queue: { ...queue, length: 1 }, workers: { ...workers, busy: 8 } }), [
    'near: all 8 workers are busy, and 1 request wait: guise site set a.example --set max_workers=16',
  ]);
  t.match(about({ tmp: { used: 80, size: 100 } }), [/^near: its temporary directory is full to 80 %/]);
  t.match(about({ crashed: 2, lastProblem: 'SIGSEGV' }), [/^near: 2 requests lost to a crash: SIGSEGV/]);
  t.match(about({ lastProblem: 'the template was killed' }), [/^near: the template was killed/]);
  t.match(about({ workers: { ...workers, total: 80, limit: 90 } }), [/^near: 80 workers of the 100/]);
});

t.test('room for workers, in words', async (t) => {
  const megabyte = 1024 ** 2;
  const site = { ...siteRow('a.example'), workers: { ...workers, bytes: 74 * megabyte } };
  const plain = statusReport([site]);
  const withRoom = (waiting: number): StatusReport => {
    if (plain.totals === undefined) throw new Error('no totals');
    const room = { usedBytes: 74 * megabyte, limitBytes: 450 * megabyte, waiting };
    return { ...plain, totals: { ...plain.totals, room } };
  };
  const texts = (report: StatusReport): string[] => attentions(report, machine).map(({ text }) => text);
  t.same(texts(plain), []);
  t.same(texts(withRoom(0)), ['it may have 8 workers, and 6 workers fit your memory at 74 MB']);
  t.match(texts(withRoom(2)), [
    /^it may/,
    /^2 sites wait for room: all together have 3 of 256 workers, and 74 MB/,
  ]);
  t.match(statusScreen(withRoom(0), [], { paint: plainText }), '; 3 of 256 workers, 74 MB of 450 MB');
  const advice = adviceOn(site, withRoom(0));
  t.equal(advice, '6 workers fit your memory at 74 MB; the site may have 8');
  t.match(siteScreen(site, undefined, [], plainText, advice), /^room\n {2}6 workers fit/m);
});

t.test('guise itself, and the worst first', async (t) => {
  const report: StatusReport = {
    ...statusReport([{ ...siteRow('a.example'), crashed: 1 }]),
    routers: [
      { pid: 1, alive: true, answers: true, restarts: 2 },
      { pid: 0, alive: false, answers: false, restarts: 0 },
    ],
  };
  t.match(
    attentions(report, machine).map(({ text }) => text),
    [/is not running/, /restarted 2 times/, /1 request lost/],
  );
});

t.test('one screen: troubled sites, then busy ones, and no more than there is room for', async (t) => {
  const sites = Array.from({ length: 50 }, (_, index) =>
    siteRow(`s${String(index).padStart(2, '0')}.example`),
  );
  const busy = { ...siteRow('busy.example'), workers: { ...workers, busy: 3 } };
  const troubled = { ...siteRow('z.example'), crashed: 1 };
  const report = statusReport([...sites, busy, troubled]);
  const screen = statusScreen(report, attentions(report, machine), { paint: plainText, lines: 24 });
  const lines = screen.split('\n');
  t.ok(lines.length < 24, `${lines.length} lines`);
  t.match(lines.slice(6), [/^z\.example /, /^busy\.example /, /^s00\.example /]);
  t.match(lines.at(-1), /^… and \d+ more: guise status --all$/);
  const all = statusScreen(report, [], { paint: plainText });
  t.equal(all.split('\n').length, 55);
});

t.test('nothing in a name or a message acts on the terminal', async (t) => {
  const name = 'a\u001b[2J\u202e<script>';
  const report = statusReport([{ ...siteRow(name), lastProblem: 'bell \u0007' }]);
  const attention = attentions(report, machine);
  const [site] = report.sites;
  for (const text of [
    statusScreen(report, attention, { paint: plainText }),
    siteScreen(site, undefined, attention, plainText),
  ])
    t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  t.equal(shown('ä\u001b'), 'ä\\u{1b}');
});

t.test('colours only where they are wanted', async (t) => {
  t.ok(wantsColour(true, {}));
  t.ok(wantsColour(true, { NO_COLOR: '' }));
  t.notOk(wantsColour(true, { NO_COLOR: '1' }));
  t.notOk(wantsColour(true, { TERM: 'dumb' }));
  t.notOk(wantsColour(false, {}));
  const report = statusReport([{ ...siteRow('a.example'), crashed: 1 }]);
  t.match(statusScreen(report, attentions(report, machine), { paint: coloured }), '\u001b[1m');
});
