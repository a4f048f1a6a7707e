/** What a visitor of the status application asks for. */

export interface StatusPaths {
  /** `/guise-status` */
  readonly status: string;
  /** `/ping` */
  readonly ping: string;
}

/** The forms of an answer, in the order in which they win when several are asked for: php-fpm's. */
export const formats = ['html', 'xml', 'json', 'openmetrics'] as const;
export type Format = (typeof formats)[number] | 'text';

export type Question =
  | { readonly kind: 'ping' }
  | {
      readonly kind: 'status';
      /** Behind the path of the status: '' or `metrics` and the like. */
      readonly rest: string;
      readonly format: Format;
      /** With every process. */
      readonly full: boolean;
      /** Only this site; absent: all. */
      readonly site?: string;
      /** The column that the page is to be sorted by, as asked. */
      readonly sort?: string;
    };

/** @param url path and query as the visitor sent them; undefined: there is nothing at that path */
export function questionOf(url: string, paths: StatusPaths): Question | undefined {
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  if (path === paths.ping) return { kind: 'ping' };
  if (path !== paths.status && !path.startsWith(`${paths.status}/`)) return undefined;
  const keys = new URLSearchParams(query);
  const site = keys.get('site');
  const sort = keys.get('sort');
  return {
    kind: 'status',
    rest: path.slice(paths.status.length + 1),
    format: formats.find((format) => keys.has(format)) ?? 'text',
    full: keys.has('full'),
    ...(site === null || site === '' ? {} : { site }),
    ...(sort === null ? {} : { sort }),
  };
}
