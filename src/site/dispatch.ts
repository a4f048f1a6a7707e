/** Whether what a site asks for can be had in the lane that it asks for. */

import type { Finding } from '../config/problem.js';
import type { LayeredSite } from './defaults.js';

export function checkDispatch(written: LayeredSite): Finding | undefined {
  if (written.dispatch === 'router' || written.command !== undefined) return undefined;
  const hasVisitors = Object.keys(written.visitors ?? {}).length > 0;
  if (written.socket === 'own' && !hasVisitors) return undefined;
  return {
    message: hasVisitors
      ? 'without the router nobody can tell visitors apart'
      : 'workers can only accept by themselves on a socket that is their own',
    found: `dispatch = "direct", ${hasVisitors ? 'visitors' : 'socket = "shared"'}`,
    expected: 'dispatch = "direct" with socket = "own" and without visitors',
    remedy: hasVisitors ? 'dispatch = "router"' : 'socket = "own"',
  };
}

export function checkOnDisconnect(written: LayeredSite): Finding | undefined {
  if (written.dispatch === 'router' || written.on_disconnect === 'finish') return undefined;
  return {
    message: 'without the router nobody notices that a visitor has left',
    found: 'dispatch = "direct", on_disconnect = "stop"',
    expected: 'on_disconnect = "finish" with dispatch = "direct"',
    remedy: 'on_disconnect = "finish", or dispatch = "router"',
  };
}
