/** FastCGI as the specification says, asked in ways that no common web server does, of the real router. */

import { KEEP_CONN, RecordType, Role } from '../../src/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeGetValues,
  encodePairs,
  encodeParams,
  encodeRecord,
  encodeStdin,
} from '../../src/fastcgi/encode.js';
import { until } from '../../src/quickstart/until.js';
import { beginsEarly } from '../harness/early.js';
import { askOnce, FcgiClient, paramsFor, request } from '../harness/fcgi-client.js';
import type { Seen, Whoami } from '../harness/php-pages.js';
import { journey } from '../harness/world.js';

await journey(async (t, world) => {
  const { guise } = world;
  const site = await guise.addSite({ name: 'corner.test', user: 'alice' });
  const other = await guise.addSite({ name: 'other.test', user: 'bob', args: ['--set', 'socket=own'] });
  const params = await paramsFor(guise, site, '/whoami.php');
  const socket = guise.socket;
  const uidOf = (body: string): number => (JSON.parse(body) as Whoami).uid;

  await t.test('GET_VALUES is answered truthfully', async (t) => {
    const client = await FcgiClient.connect(socket);
    client.send(encodeGetValues(['FCGI_MPXS_CONNS', 'FCGI_MAX_CONNS', 'NO_SUCH_THING']));
    const { id, content } = await client.next(RecordType.GET_VALUES_RESULT);
    t.equal(id, 0);
    t.ok(content.includes(encodePairs([['FCGI_MPXS_CONNS', '0']])), 'no multiplexing');
    t.match(content.toString(), /FCGI_MAX_CONNS\d+/);
    t.notMatch(content.toString(), 'NO_SUCH_THING');
    client.end();
  });

  await t.test('an unknown management record is named back', async (t) => {
    const client = await FcgiClient.connect(socket);
    client.send(encodeRecord(77, 0, Buffer.from('what is this')));
    const { content } = await client.next(RecordType.UNKNOWN_TYPE);
    t.equal(content[0], 77);
    client.send(request(params));
    t.equal(uidOf((await client.answer()).body), site.user.uid, 'and the connection still works');
  });

  await t.test('where no body can follow, its end is not waited for', async (t) => {
    await beginsEarly(t, socket, params);
    // In a queue it waits as well as any other.
    await guise.says('site', 'set', site.name, '--set', 'max_workers=1');
    const slow = askOnce(socket, await paramsFor(guise, site, '/slow.php?ms=500'));
    await until('it to run', async () => (await guise.siteStatus(site.name)).workers.busy === 1);
    await beginsEarly(t, socket, params);
    t.equal((await slow).status, 200);
    await guise.says('site', 'set', site.name, '--set', 'max_workers=8');
  });

  await t.test('roles that guise does not play', async (t) => {
    for (const role of [Role.AUTHORIZER, Role.FILTER, 9, 0]) {
      const client = await FcgiClient.connect(socket);
      client.send(request(params, { role }));
      t.equal((await client.answer()).protocolStatus, 3, `role ${role}: UNKNOWN_ROLE`);
      client.end();
    }
  });

  await t.test('one byte at a time, pairs split over records, padding', async (t) => {
    const pairs = encodePairs(Object.entries({ ...params, HTTP_X_LONG: 'z'.repeat(300) }));
    const records: Buffer[] = [encodeBeginRequest(1, Role.RESPONDER)];
    for (let at = 0; at < pairs.length; at += 7) {
      records.push(encodeRecord(RecordType.PARAMS, 1, pairs.subarray(at, at + 7)));
    }
    const all = Buffer.concat([...records, encodeRecord(RecordType.PARAMS, 1), encodeStdin(1)]);
    const client = await FcgiClient.connect(socket);
    for (const byte of all) client.send(Buffer.of(byte));
    t.equal(uidOf((await client.answer()).body), site.user.uid);
  });

  await t.test('kept connections: on the shared socket, and on an own one many requests', async (t) => {
    const shared = await FcgiClient.connect(socket);
    for (let n = 0; n < 5 && !shared.isClosed; n += 1) {
      shared.send(request(params, { keep: true, id: n + 1 }));
      t.equal(uidOf((await shared.answer(n + 1)).body), site.user.uid);
    }
    shared.end();

    const own = await FcgiClient.connect(`${guise.instance.run}/sites/${other.name}.sock`);
    for (let n = 0; n < 20; n += 1) {
      const page = n % 2 === 0 ? '/whoami.php' : `/body.php?${n}`;
      const body = n % 2 === 0 ? '' : 'b'.repeat(n * 3000);
      const more = n % 2 === 0 ? {} : { REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(body.length) };
      own.send(request(await paramsFor(guise, other, page, more), { keep: true, id: 1, body }));
      const answer = await own.answer();
      t.equal(answer.protocolStatus, 0);
      if (n % 2 === 0) t.equal(uidOf(answer.body), other.user.uid);
      else t.match(JSON.parse(answer.body), { length: body.length });
    }
    own.end();
  });

  await t.test('a kept connection of one site serves another only with its key', async (t) => {
    const own = await FcgiClient.connect(`${guise.instance.run}/sites/${other.name}.sock`);
    own.send(request(params, { keep: true }));
    t.equal((await own.answer()).status, 403, "the first site's key means nothing on the other's socket");
    own.end();
  });

  await t.test('a second id beside the first is refused, and the first finishes', async (t) => {
    const client = await FcgiClient.connect(socket);
    const pairs = Object.entries(params);
    client.send(encodeBeginRequest(1, Role.RESPONDER, KEEP_CONN), encodeParams(1, pairs));
    client.send(request(params, { id: 2, keep: true }));
    const second = await client.answer(2);
    t.equal(second.protocolStatus, 1, 'CANT_MPX_CONN');
    t.equal(second.status, 503, 'with a page, for those who look at nothing else');
    client.send(encodeStdin(1));
    t.equal(uidOf((await client.answer(1)).body), site.user.uid);
    client.end();
  });

  await t.test('a second request behind the first is served after it, or not at all', async (t) => {
    const client = await FcgiClient.connect(socket);
    const slow = await paramsFor(guise, site, '/slow.php?ms=300');
    client.send(request(slow, { id: 1, keep: true }), request(params, { id: 2, keep: true }));
    t.match((await client.answer(1)).body, /"pid":\d+/);
    const second = await client.answer(2).catch(() => undefined);
    if (second !== undefined) t.equal(uidOf(second.body), site.user.uid);
    client.end();
  });

  await t.test('a body whose length is not told, wrong or absurd', async (t) => {
    const post = (length: string) =>
      paramsFor(guise, site, '/body.php', { REQUEST_METHOD: 'POST', CONTENT_LENGTH: length });
    const body = 'x'.repeat(1000);
    for (const length of ['', '1000', '-1', '5', '999999999', 'many']) {
      const answer = await askOnce(socket, await post(length), body);
      const shown = `CONTENT_LENGTH=${length}`;
      if (answer.status === 200) t.match(JSON.parse(answer.body), { length: 1000, declared: '1000' }, shown);
      else t.ok([400, 413].includes(answer.status), `${shown}: ${answer.status}`);
    }
  });

  await t.test('nonsense costs its sender the connection, and nobody else anything', async (t) => {
    const begin = encodeBeginRequest(1, Role.RESPONDER);
    const version2 = Buffer.from(begin);
    version2[0] = 2;
    const huge = Buffer.concat([
      begin,
      encodeRecord(RecordType.PARAMS, 1, Buffer.from('ffffffffffffffff', 'hex')),
    ]);
    for (const [what, bytes] of [
      ['another version', version2],
      ['not FastCGI at all', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
      [
        'parameters of two gigabytes',
        Buffer.concat([huge, encodeRecord(RecordType.PARAMS, 1), encodeStdin(1)]),
      ],
      ['all ones', Buffer.alloc(5000, 0xff)],
    ] as const) {
      const client = await FcgiClient.connect(socket);
      client.send(bytes);
      const ended = await Promise.race([
        client.closed().then(() => 'closed'),
        client.answer().then((a) => a.status),
      ]);
      t.ok(ended === 'closed' || ended === 400, `${what}: ${ended}`);
      client.end();
    }
    t.equal(uidOf((await askOnce(socket, params)).body), site.user.uid);
  });

  await t.test('records for an id that nobody began, input after its end, a second BEGIN', async (t) => {
    const stray = encodeStdin(9, Buffer.from('stray'));
    for (const bytes of [
      Buffer.concat([stray, request(params)]),
      Buffer.concat([encodeRecord(RecordType.ABORT_REQUEST, 5), request(params)]),
    ]) {
      const client = await FcgiClient.connect(socket);
      client.send(bytes);
      t.equal(uidOf((await client.answer()).body), site.user.uid, 'ignored, as the specification says');
      client.end();
    }
    const twice = await FcgiClient.connect(socket);
    twice.send(encodeBeginRequest(1, Role.RESPONDER), request(params));
    const answer = await twice.answer().catch(() => undefined);
    t.ok(
      answer === undefined || answer.status === 200 || answer.status === 400,
      'closed, refused or taken as new',
    );
    twice.end();
  });

  await t.test('ABORT before and while it runs', async (t) => {
    const early = await FcgiClient.connect(socket);
    early.send(encodeBeginRequest(1, Role.RESPONDER), encodeParams(1, Object.entries(params)));
    early.send(encodeRecord(RecordType.ABORT_REQUEST, 1));
    t.equal((await early.answer()).protocolStatus, 0, 'ended, and nothing ran');
    early.end();
    const late = await FcgiClient.connect(socket);
    late.send(
      request(await paramsFor(guise, site, '/slow.php?ms=400')),
      encodeRecord(RecordType.ABORT_REQUEST, 1),
    );
    await late.answer().catch(() => undefined);
    late.end();
    t.equal(uidOf((await askOnce(socket, params)).body), site.user.uid);
  });

  await t.test('no key, and a wrong one', async (t) => {
    const { GUISE_KEY: key, ...without } = params;
    t.ok(key, 'a site has a key');
    t.equal((await askOnce(socket, without)).status, 403);
    t.equal((await askOnce(socket, { ...params, GUISE_KEY: '0'.repeat(64) })).status, 403);
    const seen = await askOnce(socket, {
      ...(await paramsFor(guise, site, '/server.php')),
      REDIRECT_GUISE_KEY: key ?? '',
    });
    t.notMatch(seen.body, key ?? '', 'the key and its copies are kept from PHP');
    t.equal((JSON.parse(seen.body) as Seen).file, `${site.root}/server.php`);
  });
});
