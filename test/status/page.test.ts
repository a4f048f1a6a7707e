/** The page in a real browser: numbers, order without scripts, and texts that would be markup if they could. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Page } from 'playwright-core';
import t from 'tap';
import { at, noFigures, runStepsAt } from '../../src/account/figures.js';
import type { SiteStatus, StatusReport } from '../../src/control/api.js';
import { figuresReport } from '../../src/control/figures-report.js';
import { answerTo } from '../../src/status/answer.js';
import { questionOf } from '../../src/status/request.js';
import { daemonReport, siteReport } from './report.js';

const hostile =
  '<script>document.title="owned"</script><img src=http://elsewhere.test/x.png onerror=alert(1)>"\'`&';
const paths = { status: '/guise-status', ping: '/ping' };
let report: StatusReport = daemonReport();

const server = createServer((request, response) => {
  const question = questionOf(request.url ?? '/', paths);
  void answerTo(
    question,
    async () => report,
    () => Date.now(),
  ).then(({ status, contentType, body, headers }) => {
    response.writeHead(status, { 'Content-Type': contentType, ...headers });
    response.end(body);
  });
});
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const data = mkdtempSync('/tmp/guise-chromium-');
const quiet = [
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const browser = await chromium.launchPersistentContext(data, {
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet],
  viewport: { width: 1180, height: 720 },
  timeout: 120_000,
});
const asked: string[] = [];
browser.on('request', (request) => asked.push(request.url()));
t.teardown(async () => {
  await browser.close();
  server.close();
  rmSync(data, { recursive: true, force: true });
});

function site(name: string, served: number, stepUpTo: number, more: Partial<SiteStatus> = {}): SiteStatus {
  const figures = noFigures();
  figures[at.served] = served;
  figures[at.cpuUserUs] = served * 9000;
  figures[at.lastRequestMs] = Date.now();
  figures[runStepsAt + stepUpTo] = served;
  return siteReport(name, {
    ...figuresReport(figures),
    memory: { rssBytes: 9e7, pssBytes: served * 1e6 },
    ...more,
  });
}

async function open(query = ''): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${origin}/guise-status/sites${query}`, { timeout: 60_000 });
  return page;
}

const names = (page: Page): Promise<string[]> => page.locator('tbody tr td:first-child').allInnerTexts();

t.test('the numbers of the report', async (t) => {
  report = daemonReport(site('shop.test', 120, 15), site('blog.test', 30, 8));
  const page = await open();
  const [first] = await page.locator('tbody tr').all();
  const cells = await first?.locator('td').allInnerTexts();
  t.same(
    cells?.slice(0, 3).map((cell) => cell.trim()),
    ['shop.test', '1 / 8', '2 / 100'],
  );
  t.equal(cells?.[3], '2.0', '120 requests in the minute that the daemon runs');
  t.same(cells?.slice(4, 8), ['25 ms', '30 ms', '1.8 %', '114 MiB']);
  await page.close();
});

t.test('sorted by its columns, with scripts switched off', async (t) => {
  const context = await browser.browser()?.newContext({ javaScriptEnabled: false });
  report = daemonReport(site('b.test', 10, 20), site('a.test', 20, 5), site('c.test', 5, 10));
  const page = (await context?.newPage()) ?? (await browser.newPage());
  await page.goto(`${origin}/guise-status/sites`);
  t.same(await names(page), ['a.test', 'b.test', 'c.test'], 'the busiest first');
  await page.getByRole('link', { name: '99 % within' }).click();
  t.match(page.url(), /\?sort=p99$/);
  t.same(await names(page), ['b.test', 'c.test', 'a.test'], 'the slowest first');
  await page.getByRole('link', { name: 'Site', exact: true }).click();
  t.same(await names(page), ['a.test', 'b.test', 'c.test']);
  await page.close();
  await context?.close();
});

t.test('whatever a text holds, it stays text, and nothing is loaded from elsewhere', async (t) => {
  const problem = {
    file: hostile,
    line: 1,
    message: hostile,
    found: hostile,
    expected: hostile,
    remedy: hostile,
  };
  report = {
    ...daemonReport(
      site(hostile, 5, 3, {
        state: 'throttled',
        reason: hostile,
        lastProblem: hostile,
        user: hostile,
        refused: 5,
        refusals: { [hostile]: 5 },
      }),
    ),
    version: hostile,
    parked: [{ name: hostile, file: hostile, problems: [problem] }],
  };
  asked.length = 0;
  const page = await open(`?sort=${encodeURIComponent(hostile)}`);
  t.same(await names(page), [`${hostile}throttled`]);
  t.equal(await page.locator('script, img').count(), 0);
  t.notMatch(await page.title(), 'owned');
  t.ok(
    (await page.locator('li').allInnerTexts()).join(' ').includes(hostile),
    'reasons are there to be read',
  );
  t.ok(
    asked.every((url) => url.startsWith(origin)),
    asked.join(' '),
  );
  await page.close();
});

t.test('if a text were markup after all, it could do nothing', async (t) => {
  const reply = await fetch(`${origin}/guise-status/sites`);
  const policy = reply.headers.get('content-security-policy') ?? '';
  t.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'/);
  const page = await browser.newPage();
  await page.route('**/sites', async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('<main>', '<main><script>document.title="owned"</script>');
    await route.fulfill({ response, body });
  });
  await page.goto(`${origin}/guise-status/sites`);
  t.notMatch(await page.title(), 'owned');
  const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  t.equal(background, 'rgb(246, 247, 249)', 'its own style is let through');
  await page.close();
});
