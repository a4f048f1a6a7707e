/** Bytes of real sockets to requests: wherever they are cut, whatever else happens meanwhile. */

import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeGetValues,
  encodeRecord,
  encodeValuesResult,
} from '../../src/fastcgi/encode.js';
import { Poller } from '../../src/os/poller.js';
import { close, memfd, send, shutdownWrite, streamPair } from '../../src/os/socket.js';
import { defaultReadLimits } from '../../src/request/limits.js';
import { RequestReader } from '../../src/request/reader.js';
import type { IncomingRequest, Refusal } from '../../src/request/result.js';
import { Connection } from '../../src/router/connection.js';
import { Intake } from '../../src/router/intake.js';
import { RouterLog } from '../../src/router/log.js';
import { RoutedSite } from '../../src/router/routed-site.js';
import { request } from '../harness/fcgi-client.js';
import { aRound, arrived } from '../harness/sockets.js';
import { siteConfig } from './rig.js';

interface Line {
  readonly connection: Connection;
  readonly webServer: number;
}

/** An intake that writes down what it calls for. A request that is complete stays under way until `answered`. */
class IntakeRig {
  readonly poller = new Poller();
  readonly complete: { readonly connection: Connection; readonly request: IncomingRequest }[] = [];
  readonly refused: Refusal[] = [];
  readonly calls: string[] = [];
  readonly intake: Intake;
  /** Runs in the middle of each 'complete'. */
  onComplete: (connection: Connection) => void = (connection) => {
    connection.isAnswered = true;
  };
  readonly #t: Test;
  readonly #log = memfd('log');

  constructor(t: Test) {
    this.#t = t;
    t.teardown(() => {
      this.poller.close();
      close(this.#log);
    });
    this.intake = new Intake(60_000, new RouterLog(this.#log), {
      head: (_connection, head) => this.calls.push(`head ${head.scriptFilename}`),
      complete: (connection, complete) => {
        this.calls.push('complete');
        this.complete.push({ connection, request: complete });
        this.onComplete(connection);
      },
      refused: (_connection, refusal) => {
        this.calls.push(`refused ${refusal.reason}`);
        this.refused.push(refusal);
      },
      drained: () => this.calls.push('drained'),
      close: (connection) => {
        this.calls.push('close');
        connection.release();
      },
    });
  }

  connect(): Line {
    const [ours, webServer] = streamPair();
    const reader = new RequestReader({
      limits: defaultReadLimits,
      spoolDirectory: '/nonexistent',
      maxConnections: 1,
    });
    const connection: Connection = new Connection(ours, 0, reader, 0, this.poller, {
      readable: (readable) => this.intake.read(readable),
      hungUp: () => this.calls.push('hung up'),
      flushed: () => undefined,
    });
    this.intake.read(connection);
    this.#t.teardown(() => {
      connection.release();
      close(webServer);
    });
    return { connection, webServer };
  }

  /** As the server does when an answer is out and the connection is kept. */
  answered({ connection }: Line): void {
    connection.isAnswered = false;
    connection.reader.reset();
    this.intake.read(connection);
  }

  scripts(): string[] {
    return this.complete.map(({ request: { head } }) => head.scriptFilename ?? '');
  }

  log(): string {
    return readFileSync(`/proc/self/fd/${this.#log}`, 'utf8');
  }
}

function say({ webServer }: Line, bytes: Buffer): void {
  if (send(webServer, bytes, 0, bytes.length) !== bytes.length) throw new Error('not sent');
}

const ask = (script: string, keep = true, body = '') =>
  request({ SCRIPT_FILENAME: script, CONTENT_LENGTH: String(body.length) }, { keep, body });

t.test('a request arrives, whole or byte by byte', async (t) => {
  for (const step of [100_000, 100, 1]) {
    const rig = new IntakeRig(t);
    const line = rig.connect();
    const bytes = ask('/a.php', false, 'the body');
    for (let at = 0; at < bytes.length; at += step) {
      say(line, bytes.subarray(at, at + step));
      if (step > 1 || at % 50 === 0) await aRound(rig.poller);
    }
    await aRound(rig.poller);
    t.same(rig.calls, ['head /a.php', 'complete']);
    t.match(rig.complete[0]?.request.body, { kind: 'memory', length: 8 });
  }
});

t.test('the next request waits until its connection is read again', async (t) => {
  const rig = new IntakeRig(t);
  const line = rig.connect();
  say(line, Buffer.concat([ask('/1.php'), ask('/2.php'), ask('/3.php').subarray(0, 30)]));
  await aRound(rig.poller);
  t.same(rig.scripts(), ['/1.php']);
  rig.answered(line);
  t.same(rig.scripts(), ['/1.php', '/2.php'], 'what was received with the first is not lost');
  say(line, ask('/3.php').subarray(30));
  await aRound(rig.poller);
  t.same(rig.scripts(), ['/1.php', '/2.php'], 'nor is anything received while the second is under way');
  rig.answered(line);
  t.same(rig.scripts(), ['/1.php', '/2.php', '/3.php']);
});

t.test('many requests that are answered at once are read in one go', async (t) => {
  const rig = new IntakeRig(t);
  const line = rig.connect();
  rig.onComplete = () => rig.answered(line);
  const scripts = Array.from({ length: 50 }, (_, i) => `/${i}.php`);
  say(line, Buffer.concat(scripts.map((script) => ask(script))));
  await aRound(rig.poller);
  t.same(rig.scripts(), scripts);
});

t.test('reading another connection in the middle of one mixes nothing up', async (t) => {
  const rig = new IntakeRig(t);
  const [first, second] = [rig.connect(), rig.connect()];
  say(second, ask('/2.php'));
  await aRound(rig.poller);
  say(second, Buffer.alloc(60_000));
  // The end of the first's request ends the second's, which may then read on: its bytes are no FastCGI at all.
  rig.onComplete = (connection) => {
    connection.isAnswered = true;
    if (connection === first.connection) rig.answered(second);
    if (connection === first.connection && rig.complete.length < 5) rig.answered(first);
  };
  say(first, Buffer.concat(['/3.php', '/4.php', '/5.php', '/6.php'].map((script) => ask(script))));
  await aRound(rig.poller);
  t.same(rig.scripts(), ['/2.php', '/3.php', '/4.php', '/5.php', '/6.php']);
  t.ok(first.connection.isOpen);
  t.notOk(second.connection.isOpen);
});

t.test('a request that the web server takes back', async (t) => {
  const rig = new IntakeRig(t);
  const site = new RoutedSite(1, siteConfig);
  const kept = rig.connect();
  const abort = encodeRecord(2, 1);
  say(kept, ask('/1.php', true, 'body').subarray(0, -24));
  await aRound(rig.poller);
  kept.connection.site = site;
  say(kept, Buffer.concat([abort, ask('/2.php')]));
  await aRound(rig.poller);
  t.same(arrived(kept.webServer), encodeEndRequest(1));
  t.equal(kept.connection.site, undefined, 'its site is not that of the next one');
  t.same(rig.scripts(), ['/2.php']);
  const once = rig.connect();
  say(once, Buffer.concat([encodeBeginRequest(1, 1, 0), abort]));
  await aRound(rig.poller);
  t.same(arrived(once.webServer), encodeEndRequest(1));
  t.notOk(once.connection.isOpen);
});

t.test('a question of the web server is answered in the middle of a request', async (t) => {
  const rig = new IntakeRig(t);
  const line = rig.connect();
  const bytes = ask('/a.php');
  say(line, Buffer.concat([bytes.subarray(0, 16), encodeGetValues(['FCGI_MPXS_CONNS']), bytes.subarray(16)]));
  await aRound(rig.poller);
  t.same(arrived(line.webServer), encodeValuesResult([['FCGI_MPXS_CONNS', '0']]));
  t.same(rig.scripts(), ['/a.php']);
});

t.test('a refusal comes once, and the rest is thrown away', async (t) => {
  const rig = new IntakeRig(t);
  const line = rig.connect();
  say(line, request({ SCRIPT_FILENAME: '/a.php', CONTENT_LENGTH: '2000000000' }, { body: 'x'.repeat(1000) }));
  await aRound(rig.poller);
  t.same(rig.calls, ['head /a.php', 'refused body-too-large', 'drained']);
  t.match(rig.refused[0], { status: 413, requestId: 1, keep: false });
});

t.test('who does not speak FastCGI is told nothing, and noted', async (t) => {
  const rig = new IntakeRig(t);
  const line = rig.connect();
  say(line, Buffer.from('GET / HTTP/1.0\r\n\r\n'));
  await aRound(rig.poller);
  t.notOk(line.connection.isOpen);
  t.same(arrived(line.webServer), Buffer.alloc(0));
  t.match(JSON.parse(rig.log()), { breach: 'version', msg: 'connection closed: not FastCGI' });
});

t.test('the end of a connection, before and in the middle of a request', async (t) => {
  const rig = new IntakeRig(t);
  const [idle, busy] = [rig.connect(), rig.connect()];
  say(busy, ask('/a.php').subarray(0, 50));
  await aRound(rig.poller);
  shutdownWrite(idle.webServer);
  shutdownWrite(busy.webServer);
  await aRound(rig.poller);
  t.same(rig.calls, ['close', 'close']);
});

t.test('each piece that arrives moves the deadline', async (t) => {
  const rig = new IntakeRig(t);
  const line = rig.connect();
  const beforeMs = performance.now();
  say(line, ask('/a.php').subarray(0, 50));
  await aRound(rig.poller);
  t.ok(line.connection.deadlineMs >= beforeMs + 60_000);
  line.connection.isLingering = true;
  line.connection.deadlineMs = 5;
  say(line, ask('/a.php').subarray(50, 60));
  await aRound(rig.poller);
  t.equal(line.connection.deadlineMs, 5, 'but not that of one which only waits for its end');
});
