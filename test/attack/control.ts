/** Straight to the control socket: the command takes half a second to start, which is long for a question asked often. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { SiteStatus, StatusReport } from '../../src/control/api.js';
import type { Guise } from '../harness/guise.js';

/** The body of the answer, whatever its status. */
export async function control(guise: Guise, method: 'GET' | 'POST', path: string): Promise<string> {
  const call = request({
    socketPath: `${guise.instance.run}/control.sock`,
    method,
    path,
    agent: false,
  }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return text(response);
}

export async function statusOf(guise: Guise): Promise<StatusReport> {
  return JSON.parse(await control(guise, 'GET', '/status')) as StatusReport;
}

export async function siteStatusOf(guise: Guise, name: string): Promise<SiteStatus> {
  const site = (await statusOf(guise)).sites.find((one) => one.name === name);
  if (site === undefined) throw new Error(`guise does not know ${name}`);
  return site;
}
