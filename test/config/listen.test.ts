import t from 'tap';
import { formatTcpAddress, parseTcpAddress } from '../../src/config/listen.js';
import { makeInstance } from '../site/instance.js';

t.test('loopback addresses with a port', async (t) => {
  t.same(parseTcpAddress('127.0.0.1:9000'), { host: '127.0.0.1', port: 9000 });
  t.same(parseTcpAddress('127.8.9.255:1'), { host: '127.8.9.255', port: 1 });
  t.same(parseTcpAddress('[::1]:65535'), { host: '::1', port: 65_535 });
  for (const text of ['127.0.0.1:9000', '[::1]:80']) {
    t.equal(formatTcpAddress(parseTcpAddress(text) ?? { host: '', port: 0 }), text);
  }
});

t.test('everything else is refused', async (t) => {
  for (const text of [
    ...['', '9000', ':9000', '127.0.0.1', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:x'],
    ...['0.0.0.0:9000', '192.168.0.1:9000', '[::]:9000', '[::ffff:127.0.0.1]:9000', '[fe80::1]:9000'],
    ...['localhost:9000', '*:9000', '127.1:9000', '127.0.0.1.example:9000', '127.0.0.256:9000', '::1:9000'],
    ...['127.0.0.1:9000 ', '127.0.0.1:9000\n', '[127.0.0.1]:9000'],
  ]) {
    t.equal(parseTcpAddress(text), undefined, JSON.stringify(text));
  }
});

t.test('in the configuration', async (t) => {
  const instance = makeInstance(t);
  t.same(instance.config().router.listen, [], 'nothing, unless it is asked for');
});
