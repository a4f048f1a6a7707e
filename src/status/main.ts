/** The status application as a process: started by the master with its socket as descriptor 0. */

import type { StatusReport } from '../control/api.js';
import { ask } from '../control/client.js';
import { mayAsk } from './peer.js';
import { statusServer } from './serve.js';

const { GUISE_STATUS_RUN = '', GUISE_STATUS_CONFIG = '', GUISE_STATUS_PEERS = '' } = process.env;
const { GUISE_STATUS_PATH = '/guise-status', GUISE_PING_PATH = '/ping' } = process.env;

const daemon = { file: GUISE_STATUS_CONFIG, paths: { run: GUISE_STATUS_RUN }, control: {} };
const peers = GUISE_STATUS_PEERS.split(',').map(Number);

process.title = 'guise: status';
statusServer({
  paths: { status: GUISE_STATUS_PATH, ping: GUISE_PING_PATH },
  mayAsk: (socket) => mayAsk(socket, peers),
  report: () => ask<StatusReport>(daemon, { method: 'GET', path: '/status', timeoutMs: 10_000 }),
  nowMs: () => Date.now(),
}).listen({ fd: 0 });
