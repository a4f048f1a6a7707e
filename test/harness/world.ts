/**
 * The small world a journey happens in: a directory, users that exist only for it, one guise instance, web servers.
 * Whatever is set up here is taken down in reverse order when the story ends, also when it fails or is interrupted.
 */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { type Test, default as tap } from 'tap';
import type { Service } from '../../src/quickstart/command.js';
import { Undo } from '../../src/quickstart/undo.js';
import { Guise, type Toml } from './guise.js';
import { TestUsers } from './users.js';

export interface World {
  readonly directory: string;
  readonly undo: Undo;
  readonly users: TestUsers;
  readonly guise: Guise;
  /** Web servers that the story started; they are stopped before anybody counts what is left. */
  readonly servers: Service[];
}

/**
 * Tells a story in a world of its own. It ends with the proof that nothing is left behind, and with the end of
 * guise's log as comments when something failed.
 */
export async function journey(
  story: (t: Test, world: World) => Promise<void>,
  toml: Toml = {},
): Promise<void> {
  const undo = new Undo();
  const takeDown = async (): Promise<void> => {
    for (const problem of await undo.run()) process.stderr.write(`${problem}\n`);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void takeDown().then(() => process.exit(1)));
  }
  try {
    const world = await createWorld(undo, toml);
    await tap.test('the story', async (t) => {
      await world.guise.start();
      await story(t, world);
    });
    for (const server of world.servers) await server.stop();
    await tap.test('nothing is left behind', (t) => world.guise.leaveNothing(t));
    if (!tap.passing()) for (const line of world.guise.lastWords()) tap.comment(line);
  } finally {
    await takeDown();
  }
}

async function createWorld(undo: Undo, toml: Toml): Promise<World> {
  const directory = mkdtempSync('/tmp/guise-t-');
  undo.push(`remove ${directory}`, () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const users = new TestUsers(undo);
  return { directory, undo, users, guise: await Guise.layOut(directory, users, undo, toml), servers: [] };
}
