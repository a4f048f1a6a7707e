/** The pages that are asked for, and with how many connections at once. */

import type { Options } from './options.js';

export interface Page {
  readonly id: string;
  readonly title: string;
  readonly path: string;
  /** Whether the answer is the right one. */
  readonly expect: (text: string) => boolean;
  readonly upload?: boolean;
  readonly connections: readonly number[];
  readonly quick?: boolean;
}

export const megabyte = 1024 * 1024;

export const pages: readonly Page[] = [
  {
    id: 'empty',
    title: 'empty page',
    path: '/empty.php',
    expect: (text) => text === '',
    connections: [1, 8, 32],
    quick: true,
  },
  {
    id: 'phpinfo',
    title: 'phpinfo()',
    path: '/phpinfo.php',
    expect: (text) => text.includes('PHP Version'),
    connections: [1, 8, 32],
    quick: true,
  },
  {
    id: 'dokuwiki',
    title: 'DokuWiki page',
    path: '/doku.php?id=wiki:dokuwiki',
    expect: (text) => text.includes('A wiki of') && text.includes('dokuwiki__content'),
    connections: [1, 8],
  },
  {
    id: 'response',
    title: '1 MB response',
    path: '/big.php',
    expect: (text) => text.length === megabyte,
    connections: [8],
  },
  {
    id: 'upload',
    title: '1 MB upload',
    path: '/upload.php',
    expect: (text) => text === String(megabyte),
    upload: true,
    connections: [8],
  },
  {
    id: 'sleep',
    title: 'usleep(100000)',
    path: '/sleep.php',
    expect: (text) => text === 'slept',
    connections: [8, 32],
  },
];

/** A page with a number of connections. */
export interface Cell {
  readonly page: Page;
  readonly connections: number;
}

export function cells(options: Options): Cell[] {
  return pages
    .filter((page) =>
      options.pages.length > 0 ? options.pages.includes(page.id) : !options.quick || page.quick === true,
    )
    .flatMap((page) =>
      (options.connections.length > 0 ? options.connections : options.quick ? [8] : page.connections).map(
        (connections) => ({ page, connections }),
      ),
    );
}
