/** guise.toml(5) and guise-site(5): made of the schemas that the files are checked with. */

import { z } from 'zod';
import { configSchema } from '../config/schema.js';
import { version } from '../config/version.js';
import { siteSchema } from '../site/schema.js';
import { heading, literal, paragraph, subheading, tagged, title } from './manual-roff.js';

export function configPage(): string {
  return page('guise.toml', 'the main configuration of guise', [
    paragraph('TOML. Every key has a default, and an empty file is a good one.'),
    paragraph(
      'The file belongs to root and nobody else may write it. Durations are texts such as "500ms", "30s", "5m", "2h"; sizes such as "64K", "256M", "2G".',
    ),
    ...tables(configSchema).flatMap(([name, table]) => [
      heading(`[${name}]`),
      ...(name === 'defaults'
        ? [paragraph('Keys for every site that does not say otherwise: see guise-site(5).')]
        : keys(table)),
    ]),
  ]);
}

export function sitePage(): string {
  const nested = tables(siteSchema);
  const names = new Set(nested.map(([name]) => name));
  return page('guise-site', 'the file of a site', [
    paragraph(
      'TOML, one file for each site in the directory of sites, /etc/guise/sites.d. It holds the key of the site: it belongs to root, and nobody else may read or write it.',
    ),
    literal(
      'name = "example.com"\nroot = "/home/alice/www"\nuser = "alice"\nkey  = "(guise site add makes one)"',
    ),
    heading('keys'),
    ...keys(siteSchema, names),
    heading('tables'),
    ...nested.flatMap(([name, table]) => [subheading(`[${name}]`), ...keys(table)]),
  ]);
}

function page(name: string, what: string, body: readonly string[]): string {
  return [
    title(name, 5, version),
    heading('name'),
    `${name.replaceAll('-', '\\-')} \\- ${what}`,
    heading('description'),
    ...body,
    heading('see also'),
    '.BR guise (8),\n.BR guise.toml (5),\n.BR guise\\-site (5)',
    '',
  ].join('\n');
}

/** Every key of a table that is not a table itself, with what is expected of it and a line that would be right. */
function keys(table: z.ZodObject, without: ReadonlySet<string> = new Set()): string[] {
  return Object.entries(table.shape as Record<string, z.ZodType>)
    .filter(([name]) => !without.has(name))
    .map(([name, schema]) => {
      const { description = '', example } = (schema.meta() ?? {}) as {
        description?: string;
        example?: string;
      };
      return tagged(name, `${description}.`, ...(example === undefined ? [] : [`Example: ${example}`]));
    });
}

function tables(schema: z.ZodObject): [string, z.ZodObject][] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, value]) => {
    const inner = value instanceof z.ZodExactOptional ? value.unwrap() : value;
    return inner instanceof z.ZodObject ? [[name, inner] as [string, z.ZodObject]] : [];
  });
}
