/** Where the benchmark finds programs, and where it leaves its results. Everything lies in the checkout. */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { peers } from '../harness/peer.js';

export const checkout = fileURLToPath(new URL('../../../', import.meta.url));

/** What test/bench/run unpacked. */
export const unpacked = `${checkout}.cache/bench`;

/** Debian's modules that are only unpacked. */
export const unpackedModules = `${unpacked}/usr/lib/apache2/modules`;

/** Libraries of unpacked packages, for LD_LIBRARY_PATH. */
export function libraries(): string {
  return [peers, unpacked]
    .map((place) => `${place}/usr/lib`)
    .flatMap((place) =>
      readdirSync(place)
        .filter((name) => name.endsWith('-linux-gnu'))
        .map((name) => `${place}/${name}`),
    )
    .join(':');
}

/** php-cgi's own settings; every PHP of the benchmark gets the same. */
export const php = { ini: '/etc/php/8.2/cgi/php.ini', scan: '/etc/php/8.2/cgi/conf.d' };

export const resultsDirectory = `${checkout}test/bench/results`;
export const page = `${checkout}docs/reference/benchmarks.md`;
export const plotsDirectory = `${checkout}docs/reference/benchmarks`;
