/**
 * The status application as a process: started by the master, with its listening socket as descriptor 0. It starts as
 * root, because its code may lie where only root can read it, and with everything loaded it becomes its user for good
 * before it accepts anything. Descriptor 3 ends when the master does.
 */

import { Socket } from 'node:net';
import type { StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { dropDumpable } from '../os/process.js';
import { becomeStartedUser } from '../os/started-as.js';
import { isKey, mayAsk } from './peer.js';
import { statusServer } from './serve.js';

const { env } = process;
const daemon = {
  file: env.GUISE_STATUS_CONFIG ?? '',
  paths: { run: env.GUISE_STATUS_RUN ?? '' },
  control: {},
};
const peers = (env.GUISE_STATUS_PEERS ?? '').split(',').map(Number);

process.title = 'guise: status';
// What does not belong here is one line in the log, and the end of this process: the master starts another.
process.on('uncaughtException', (error) => {
  const line = { level: 50, time: new Date().toISOString(), process: 'status', msg: error.message };
  process.stderr.write(`${JSON.stringify(line)}\n`);
  process.exit(1);
});
becomeStartedUser();
dropDumpable();
new Socket({ fd: 3 }).resume().on('close', () => process.exit(0));
statusServer({
  paths: { status: env.GUISE_STATUS_PATH ?? '', ping: env.GUISE_STATUS_PING ?? '' },
  mayAsk: (socket) => mayAsk(socket, peers),
  isKey: (given) => isKey(given, env.GUISE_STATUS_KEY ?? ''),
  report: () => ask<StatusReport>(daemon, { method: 'GET', path: '/status', timeoutMs: 10_000 }),
  nowMs: () => Date.now(),
}).listen({ fd: 0 });
