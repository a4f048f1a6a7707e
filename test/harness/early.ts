/** What both lanes do with a request that can have no body, asked as a web server would that is slow to say so. */

import type { Test } from 'tap';
import { RecordType, Role } from '../../src/fastcgi/constants.js';
import { encodeBeginRequest, encodeParams, encodeRecord, encodeStreamEnd } from '../../src/fastcgi/encode.js';
import { askOnce, FcgiClient, type Params } from './fcgi-client.js';

const end = encodeStreamEnd(RecordType.STDIN, 1);

/** A request whose body has no end yet. */
async function unended(where: string, params: Params): Promise<FcgiClient> {
  const client = await FcgiClient.connect(where);
  client.send(encodeBeginRequest(1, Role.RESPONDER, 0), encodeParams(1, Object.entries(params)));
  return client;
}

/** @param params of a page that exists, by GET */
export async function beginsEarly(t: Test, socket: string, params: Params): Promise<void> {
  const early = await unended(socket, params);
  t.equal((await early.answer()).status, 200, 'answered without it');
  early.send(end);
  await early.closed();
  t.notOk(early.failure, 'and the web server can still write it');

  const refused = await unended(socket, { ...params, SCRIPT_FILENAME: '/nowhere.php' });
  t.equal((await refused.answer()).status, 404);
  refused.send(end);
  await refused.closed();
  t.notOk(refused.failure, 'also behind a refusal');

  const neverEnded = await unended(socket, params);
  await neverEnded.answer();
  await neverEnded.closed();

  for (const more of [{ REQUEST_METHOD: 'POST' }, { CONTENT_LENGTH: '1' }, { HTTP_TRANSFER_ENCODING: 'x' }]) {
    const waiting = await unended(socket, { ...params, ...more });
    // One that comes later has its answer first.
    t.equal((await askOnce(socket, params)).status, 200);
    t.notOk(waiting.hasHeard, `with ${JSON.stringify(more)} a body may follow`);
    waiting.send(encodeRecord(RecordType.STDIN, 1, Buffer.from('x')), end);
    t.equal((await waiting.answer()).status, 200);
    waiting.end();
  }
}
