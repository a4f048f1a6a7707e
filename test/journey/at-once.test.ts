/**
 * A page is with its visitor when it is ready, whatever the web server waits for: Apache goes by the end of the request,
 * nginx by the end of the connection. So is a page that guise has for what it does not run.
 */

import { chmodSync } from 'node:fs';
import { apacheFor } from '../harness/apache.js';
import { get } from '../harness/http.js';
import { median, Neighbour } from '../harness/neighbour.js';
import { nginxFor } from '../harness/nginx.js';
import { journey } from '../harness/world.js';

/** Far more than the two differ by, far less than the time after which the router looks by itself. */
const most = 20;

await journey(async (t, world) => {
  const site = await world.guise.addSite({ name: 'a.test', user: 'alice' });
  const medians: Record<string, number> = {};
  for (const [name, server] of [
    ['Apache', await apacheFor(world, [site])],
    ['nginx', await nginxFor(world, [site])],
  ] as const) {
    const visitors = new Neighbour(server.at(site), site);
    medians[name] = await visitors.during();
    await visitors.close(t);
  }
  // Others may write it, so it does not run.
  chmodSync(`${site.root}/server.php`, 0o666);
  const apache = await apacheFor(world, [site]);
  const refusals: number[] = [];
  for (let n = 0; n < 21; n += 1) {
    const started = performance.now();
    t.equal((await get(apache.at(site), '/server.php')).status, 403);
    refusals.push(performance.now() - started);
  }
  const { Apache = 0, nginx = 0 } = medians;
  t.ok(nginx < most * Apache, `${nginx.toFixed(1)} ms behind nginx, ${Apache.toFixed(1)} ms behind Apache`);
  t.ok(median(refusals) < most * Apache, `${median(refusals).toFixed(1)} ms for a refusal`);
});
