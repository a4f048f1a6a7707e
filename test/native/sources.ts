import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { preloadLibrary } from '../../src/os/addon.js';

/** The directory of the preload library's sources: beside the build that the library came out of. */
export function nativeSources(): string {
  let directory = dirname(preloadLibrary());
  while (!existsSync(`${directory}/preload/protocol.h`)) directory = dirname(directory);
  return `${directory}/preload`;
}
