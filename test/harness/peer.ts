/** What the private web servers have in common: unpacked binaries, a port, words for when they do not start. */

import { fileURLToPath } from 'node:url';
import { listens } from '../../src/quickstart/apache.js';
import { type Service, startService } from '../../src/quickstart/command.js';
import { until } from '../../src/quickstart/until.js';
import type { Site } from './guise.js';
import type { Address } from './http.js';
import { readText } from './log.js';
import type { World } from './world.js';

/** Where bin/setup unpacks what only tests need: Debian's packages, not installed. */
export const peers = fileURLToPath(new URL('../../../.cache/debian', import.meta.url));

export interface WebServer extends Service {
  readonly port: number;
  at(site: Site): Address;
  /** Everything that it has said. */
  words(): string;
}

export interface Start {
  readonly name: string;
  readonly port: number;
  /** Its own directory, where its output goes, and perhaps an error.log. */
  readonly directory: string;
  readonly file: string;
  readonly args: readonly string[];
}

/** Starts it, waits until it listens, and sees to its end. */
export async function startWebServer(world: World, start: Start): Promise<WebServer> {
  const { name, port, directory } = start;
  const service = startService(start.file, start.args, `${directory}/output.log`);
  const words = (): string => `${readText(`${directory}/output.log`)}${readText(`${directory}/error.log`)}`;
  world.undo.push(`stop ${name}`, () => service.stop());
  world.servers.push(service);
  await until(`${name} to listen`, () => {
    if (service.exit() !== undefined) throw new Error(`${name} ended at once: ${words()}`);
    return listens(port);
  });
  return { ...service, port, words, at: (site) => ({ port, host: site.name }) };
}
