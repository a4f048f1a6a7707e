/**
 * The page of the status application behind Apache and nginx, in a real browser: the numbers are those of
 * `guise status --json`, a name that would be markup is text, and both themes are there.
 */

import { writeFileSync } from 'node:fs';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { SiteStatus } from '../../src/control/api.js';
import { until } from '../../src/quickstart/until.js';
import { milliseconds } from '../../src/status/page-words.js';
import { apacheFor } from '../harness/apache.js';
import { type Address, get } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

const markup = '<img src=x onerror=document.title=1>';
const quiet = [
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function launch(directory: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(directory, {
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--host-resolver-rules=MAP * 127.0.0.1',
      ...quiet,
    ],
    viewport: { width: 1180, height: 900 },
    timeout: 120_000,
  });
}

/** What a row of the page says, without what depends on the moment. */
function expected({ name, workers, queue, runTime, refused, crashed }: SiteStatus): string[] {
  const decoded = (text: string): string => text.replace('&lt;', '<');
  return [
    name,
    `${workers.busy} / ${workers.limit}`,
    `${queue.length} / ${queue.limit}`,
    decoded(milliseconds(runTime.p50Ms)),
    decoded(milliseconds(runTime.p99Ms)),
    String(refused + crashed),
  ];
}

async function shown(page: Page, name: string): Promise<string[]> {
  const row = page.locator('tbody tr', { has: page.locator('td:first-child', { hasText: name }) });
  const cells = (await row.locator('td').allInnerTexts()).map((cell) => cell.trim());
  return [0, 1, 2, 4, 5, 8].map((n) => cells[n] ?? '');
}

await journey(async (t, world) => {
  const { guise } = world;
  guise.allowErrors(/worker died/, /"process":"status"/, /site is parked|cannot be used|img src/);
  const alice = await guise.addSite({ name: 'alice.test', user: 'alice', args: ['--max-workers', '3'] });
  const bob = await guise.addSite({ name: 'bob.test', user: 'bob', args: ['--max-workers', '1'] });
  writeFileSync(`${guise.instance.sites}/${markup}.toml`, 'root = 5\n', { mode: 0o600 });
  await guise.run('reload');
  const printed = await guise.says('web', 'apache', '--status');
  const servers = [
    await apacheFor(world, [alice, bob], { modules: ['authz_host'], before: printed }),
    await nginxFor(world, [alice, bob], { inside: () => guise.says('web', 'nginx', '--status') }),
  ] as const;
  const [apache] = servers;
  const browser = await launch(`${world.directory}/chromium`);
  world.undo.push('close the browser', () => browser.close());
  const addressOf = ({ host, port }: Address): string => `http://${host}:${port}/guise-status/sites`;

  for (let n = 0; n < 12; n++) t.equal((await get(apache.at(alice), '/whoami.php')).status, 200);
  for (let n = 0; n < 3; n++) t.equal((await get(apache.at(alice), '/none.php')).status, 404);
  t.equal((await get(apache.at(alice), '/crash.php?how=kill')).status, 502);
  t.equal((await get(apache.at(bob), '/slow.php?ms=300')).status, 200);
  const running = [0, 1].map((n) => get(apache.at(bob), `/slow.php?ms=5000&n=${n}`));
  await until('one to run, one to wait', async () => {
    const { workers, queue } = await guise.siteStatus(bob.name);
    return workers.busy === 1 && queue.length === 1;
  });

  for (const [n, server] of servers.entries()) {
    await t.test(`the numbers, behind ${n === 0 ? 'Apache' : 'nginx'}`, async (t) => {
      const page = await browser.newPage();
      await page.goto(addressOf(server.at(alice)), { timeout: 60_000 });
      const { sites } = await guise.status();
      for (const name of [alice.name, bob.name]) {
        const status = sites.find((site) => site.name === name);
        if (status === undefined) throw new Error(`no ${name}`);
        t.same(await shown(page, name), expected(status), name);
      }
      t.match(await shown(page, bob.name), [bob.name, '1 / 1', '1 / 100']);
      await page.close();
    });
  }

  await t.test('a name that would be markup is text', async (t) => {
    const page = await browser.newPage();
    await page.goto(addressOf(apache.at(alice)), { timeout: 60_000 });
    t.ok((await page.locator('body').textContent())?.includes(markup), 'it is there to be read');
    t.equal(await page.locator('img, script').count(), 0);
    t.notMatch(await page.locator('li').allTextContents(), /found\s*$|: found *add/, 'no half sentences');
    t.not(await page.title(), '1');
    await page.close();
  });

  await t.test('light and dark', async (t) => {
    const page = await browser.newPage();
    const seen = new Map<string, unknown>();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(addressOf(apache.at(alice)), { timeout: 60_000 });
      const pairs = await page.evaluate(
        '[document.body, ...document.querySelectorAll("td")].map((e) => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor])',
      );
      for (const [text, ground] of pairs as [string, string][])
        t.not(text, ground, 'what is written can be read');
      seen.set(colorScheme, (pairs as [string, string][])[0]?.[1]);
      if (process.env.GUISE_SCREENSHOTS !== undefined)
        await page.screenshot({ path: `${process.env.GUISE_SCREENSHOTS}/${colorScheme}.png` });
    }
    t.not(seen.get('light'), seen.get('dark'));
    await page.close();
  });
  for (const reply of await Promise.all(running)) t.equal(reply.status, 200);
  await browser.close();
});
