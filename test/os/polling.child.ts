/** Polls in one of several ways, to show how the process ends. Its descriptor 3 is a socket. */
import { writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { POLLIN, Poller } from '../../src/os/poller.js';
import { receive } from '../../src/os/socket.js';

const watch = new Poller();
watch.add(3, POLLIN, () => {
  receive(3, Buffer.alloc(10), 0, 10);
  writeSync(1, 'heard\n');
  if (process.argv[2] === 'throw') throw new Error('a bug');
  if (process.argv[2] === 'serve') serve();
  else watch.close();
});

/** What libuv waits for, begun while it was not waiting: a server, its client, and a timer. */
function serve(): void {
  const server = createServer((socket) => socket.end('x')).listen(`\0guise-polling-${process.pid}`, () => {
    connect(server.address() as string).once('data', () => {
      writeSync(1, 'served\n');
      server.close();
      setTimeout(() => watch.close(), 10);
    });
  });
}

process.on('exit', (code) => writeSync(1, `exit ${code}\n`));

switch (process.argv[2]) {
  case 'close':
    watch.close();
    break;
  case 'unref':
    watch.unref();
    break;
  case 'ref':
    watch.unref();
    watch.ref();
    break;
  case 'exit':
    setImmediate(() => process.exit(9));
    break;
  default:
}
writeSync(1, 'waiting\n');
