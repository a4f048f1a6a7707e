/** Which file imports which, read from the sources by TypeScript's own parser. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

/** Reads a source file by its absolute path; undefined when there is none. */
export type Read = (path: string) => string | undefined;

export const readSource: Read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** The modules that a source file names: static, type-only, re-exported and `import('…')` ones. */
function namedModules(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map((file) => file.fileName);
}

export interface Reached {
  /** Chains of imports from the entry file, by the file or package they end at. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Relative imports of files that do not exist. */
  readonly broken: readonly string[];
}

/** Everything that is imported from `entry`, directly or not. Packages and node: modules end a chain. */
export function reachedFrom(entry: string, read: Read): Reached {
  const chains = new Map<string, readonly string[]>([[entry, [entry]]]);
  const broken: string[] = [];
  const queue = [entry];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const source = read(file);
    if (source === undefined) {
      if (file.startsWith('/')) broken.push(file);
      continue;
    }
    for (const name of namedModules(source)) {
      const target = name.startsWith('.') ? resolve(dirname(file), name.replace(/\.js$/, '.ts')) : name;
      if (chains.has(target)) continue;
      chains.set(target, [...(chains.get(file) ?? []), target]);
      queue.push(target);
    }
  }
  return { chains, broken };
}

/** The chains that end at a file beneath one of the folders, or at one of the packages. */
export function violations(
  reached: Reached,
  folders: readonly string[],
  packages: readonly string[],
): string[] {
  return [...reached.chains]
    .filter(([end]) => folders.some((folder) => end.startsWith(`${folder}/`)) || packages.includes(end))
    .map(([, chain]) => chain.join(' → '));
}
