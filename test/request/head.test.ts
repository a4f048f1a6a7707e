import t from 'tap';
import { encodePairs } from '../../src/fastcgi/encode.js';
import { Head } from '../../src/request/head.js';

type Pairs = readonly (readonly [string, string])[];

function scan(...pairs: Pairs): Head {
  const head = Head.scan(1, false, encodePairs(pairs), 1000);
  if (typeof head === 'string') throw new Error(head);
  return head;
}

t.test('every field the router reads', async (t) => {
  const params = encodePairs([
    ['GUISE_KEY', 'secret'],
    ['GUISE_SITE', 'example.com'],
    ['SERVER_NAME', 'www.example.com'],
    ['REQUEST_METHOD', 'GET'],
    ['REQUEST_URI', '/é?x'],
    ['SCRIPT_FILENAME', '/home/alice/www/t.php'],
    ['CONTENT_LENGTH', '12'],
    ['REMOTE_ADDR', '192.0.2.1'],
    ['REMOTE_USER', 'alice'],
  ]);
  const head = Head.scan(7, true, params, 10);
  if (typeof head === 'string') throw new Error(head);
  t.match(head, { requestId: 7, keep: true, conflict: undefined });
  t.equal(head.params, params);
  t.equal(head.key?.toString(), 'secret');
  t.match(head, {
    site: 'example.com',
    serverName: 'www.example.com',
    method: 'GET',
    uri: '/é?x',
    scriptFilename: '/home/alice/www/t.php',
    contentLength: 12,
    remoteAddr: '192.0.2.1',
    remoteUser: 'alice',
  });
});

t.test('nothing is known of an empty block', async (t) => {
  const head = scan();
  t.equal(head.key, undefined);
  t.equal(head.site, undefined);
  t.equal(head.method, undefined);
  t.equal(head.contentLength, -1);
});

t.test('names that only resemble', async (t) => {
  const head = scan(
    ['guise_key', 'x'],
    ['GUISE_KEYS', 'x'],
    ['HTTP_GUISE_KEY', 'x'],
    ['REDIRECT_REQUEST_METHOD', 'GET'],
    ['SERVER_NAMD', 'x'],
    ['', 'x'],
    ['X'.repeat(300), 'x'],
  );
  t.equal(head.key, undefined);
  t.equal(head.method, undefined);
  t.equal(head.serverName, undefined);
});

t.test('the key: empty, or two different ones, is none', async (t) => {
  t.equal(scan(['GUISE_KEY', '']).key, undefined);
  const same = scan(['GUISE_KEY', 'a'], ['GUISE_KEY', 'a']);
  t.equal(same.key?.toString(), 'a');
  for (const second of ['b', '', 'aa']) {
    const head = scan(['GUISE_KEY', 'a'], ['GUISE_KEY', second], ['GUISE_KEY', 'a']);
    t.equal(head.key, undefined);
    t.equal(head.conflict, 'GUISE_KEY');
  }
});

t.test('a copy of the key is no key', async (t) => {
  const head = scan(['REDIRECT_GUISE_KEY', 'a']);
  t.equal(head.key, undefined);
  t.equal(head.conflict, undefined);
});

t.test('keys and all their copies are blanked, and nothing else', async (t) => {
  const pairs: Pairs = [
    ['REDIRECT_REDIRECT_REDIRECT_GUISE_KEY', 'secret-1'],
    ['REDIRECT_GUISE_KEY', 'secret-2'],
    ['A', 'visible'],
    ['GUISE_KEY', 'secret-3'],
    ['GUISE_KEY', 'secret-4'],
    ['GUISE_SITE', 'example.com'],
    ['REDIRECT_GUISE_KEYS', 'visible'],
    ['REDIRECTGUISE_KEY', 'visible'],
    ['REDIRECT_', 'visible'],
  ];
  const head = scan(...pairs);
  head.blankKeys();
  const blanked = pairs.map(
    ([name, value]) => [name, value.startsWith('secret') ? '\0'.repeat(8) : value] as const,
  );
  t.same(head.params, encodePairs(blanked));
  t.equal(head.key, undefined);
  head.blankKeys();
  t.same(head.params, encodePairs(blanked), 'once more changes nothing');
});

t.test('the site by name: its copy only where it is missing itself', async (t) => {
  t.equal(scan(['REDIRECT_GUISE_SITE', 'b'], ['GUISE_SITE', 'a']).site, 'a');
  t.equal(scan(['REDIRECT_REDIRECT_GUISE_SITE', 'b']).site, 'b');
  t.equal(scan(['REDIRECT_GUISE_SITE', 'b'], ['REDIRECT_REDIRECT_GUISE_SITE', 'b']).site, 'b');
  for (const name of ['GUISE_SITE', 'REDIRECT_GUISE_SITE']) {
    const head = scan([name, 'a'], [name, 'b']);
    t.equal(head.site, undefined);
    t.equal(head.conflict, 'GUISE_SITE');
  }
});

t.test('of other parameters the last one counts, as in PHP', async (t) => {
  const head = scan(['SCRIPT_FILENAME', '/a.php'], ['SCRIPT_FILENAME', '/b.php'], ['HTTPS', 'off']);
  t.equal(head.scriptFilename, '/b.php');
  t.equal(head.conflict, undefined);
});

t.test('CONTENT_LENGTH that says nothing', async (t) => {
  for (const value of ['', '-1', '+1', ' 1', '1 ', '1,1', '0x10', '1e3', 'many', '١']) {
    t.equal(scan(['CONTENT_LENGTH', value]).contentLength, -1, JSON.stringify(value));
  }
  const chunked = scan(['CONTENT_LENGTH', '5'], ['HTTP_TRANSFER_ENCODING', 'chunked']);
  t.equal(chunked.contentLength, -1);
});

t.test('CONTENT_LENGTH that does', async (t) => {
  t.equal(scan(['CONTENT_LENGTH', '0']).contentLength, 0);
  t.equal(scan(['CONTENT_LENGTH', '0000000000000000000000000042']).contentLength, 42);
  t.equal(scan(['CONTENT_LENGTH', '9007199254740991']).contentLength, Number.MAX_SAFE_INTEGER);
  t.equal(scan(['CONTENT_LENGTH', '9'.repeat(400)]).contentLength, Number.MAX_SAFE_INTEGER);
});

t.test('bytes that are not UTF-8 do not stop the log', async (t) => {
  const params = Buffer.concat([Buffer.of(11, 2), Buffer.from('REQUEST_URI'), Buffer.of(0x2f, 0xff)]);
  const head = Head.scan(1, false, params, 1);
  t.match(head, { uri: '/\ufffd' });
});

t.test('faults', async (t) => {
  t.equal(Head.scan(1, false, Buffer.of(1, 5), 10), 'malformed-params');
  const three = encodePairs([
    ['A', ''],
    ['B', ''],
    ['C', ''],
  ]);
  t.equal(Head.scan(1, false, three, 2), 'too-many-params');
  t.not(typeof Head.scan(1, false, three, 3), 'string');
});
