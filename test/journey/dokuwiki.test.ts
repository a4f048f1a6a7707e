/**
 * An application that nobody here wrote: DokuWiki's front page, a page edited and a file uploaded through its own
 * forms, behind Apache and behind nginx, in both modes. What it stores belongs to the site's user.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { apacheFor } from '../harness/apache.js';
import { filesOf, installDokuWiki } from '../harness/dokuwiki.js';
import { formOf } from '../harness/form.js';
import { type Address, type Ask, get, type Reply } from '../harness/http.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

/** Keeps cookies, as a browser does. */
class Browser {
  readonly #at: Address;
  readonly #cookies = new Map<string, string>();

  constructor(at: Address) {
    this.#at = at;
  }

  async get(path: string, ask: Ask = {}): Promise<Reply> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await get(this.#at, path, { ...ask, headers: { ...ask.headers, cookie } });
    for (const line of reply.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      this.#cookies.set(name, value);
    }
    return reply;
  }

  async post(path: string, form: FormData | URLSearchParams): Promise<Reply> {
    const encoded = new Response(form);
    const body = Buffer.from(await encoded.arrayBuffer());
    const type = encoded.headers.get('content-type') ?? '';
    return this.get(path, { body, headers: { 'content-type': type, 'content-length': body.length } });
  }
}

await journey(async (t, world) => {
  const { guise } = world;
  for (const [mode, user] of [
    ['pool', 'alice'],
    ['per-request', 'bob'],
  ] as const) {
    // Its data lie beside the document root, and the user has no home directory, which would be open to his site.
    const home = `${guise.instance.directory}/home/${mode}.test`;
    const args = ['--mode', mode, '--set', `writable=["${home}"]`];
    const site = await guise.addSite({ name: `${mode}.test`, user, args });
    const { data } = await installDokuWiki(site);
    const servers = [
      ['Apache', (await apacheFor(world, [site])).at(site)],
      ['nginx', (await nginxFor(world, [site])).at(site)],
    ] as const;
    for (const [name, at] of servers) {
      const browser = new Browser(at);
      const page = `${name.toLowerCase()}notes`;
      const text = `====== Notes ======\n\nWritten behind ${name}, with "quotes" & <signs> and ä.\n`;

      await t.test(`${mode}, ${name}: the front page and what it needs`, async (t) => {
        const front = await browser.get('/doku.php');
        t.equal(front.status, 200);
        t.match(front.text(), `A wiki of ${site.user.name}`);
        const needed = [...front.text().matchAll(/(?:src|href)="(\/lib\/[^"]+)"/g)].map(
          (found) => found[1] ?? '',
        );
        t.ok(needed.length >= 4);
        for (const path of needed) {
          const reply = await browser.get(path.replaceAll('&amp;', '&'));
          t.equal(reply.status, 200, path);
          t.ok(reply.body.length > 0);
        }
      });

      await t.test(`${mode}, ${name}: edit a page`, async (t) => {
        const edit = formOf((await browser.get(`/doku.php?id=${page}&do=edit`)).text(), 'dw__editform');
        const filled = new URLSearchParams({ ...edit.fields, wikitext: text, 'do[save]': '1' });
        const saved = await browser.post(edit.action, filled);
        t.ok([200, 302].includes(saved.status), `saved with ${saved.status}`);
        const shown = (await browser.get(`/doku.php?id=${page}`)).text();
        t.match(shown, '&amp; &lt;signs&gt; and ä');
        t.match(readFileSync(`${data}/pages/${page}.txt`, 'utf8'), `Written behind ${name}`);
      });

      await t.test(`${mode}, ${name}: upload a file`, async (t) => {
        const manager = formOf((await browser.get('/lib/exe/mediamanager.php?ns=')).text(), 'dw__upload');
        const content = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(900_000)]);
        const filled = new FormData();
        for (const [field, value] of Object.entries(manager.fields)) filled.set(field, value);
        filled.set('mediaid', `${page}.pdf`);
        filled.set('upload', new Blob([content], { type: 'application/pdf' }), 'paper.pdf');
        const sent = await browser.post(manager.action, filled);
        t.equal(sent.status, 200);
        t.ok(readFileSync(`${data}/media/${page}.pdf`).equals(content), 'it arrived whole');
        const fetched = await browser.get(`/lib/exe/fetch.php?media=${page}.pdf`);
        t.ok(fetched.body.equals(content), 'and comes back whole');
      });
    }

    await t.test(`${mode}: everything on disk belongs to ${site.user.name}`, async (t) => {
      const foreign = filesOf(data).filter((file) => statSync(file).uid !== site.user.uid);
      t.same(foreign, []);
    });
  }
});
