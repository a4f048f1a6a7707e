import t from 'tap';
import { z } from 'zod';
import { configDefaults, configSchema } from '../../src/config/schema.js';
import { builtInDefaults } from '../../src/site/defaults.js';
import { defaultsSchema, siteSchema } from '../../src/site/schema.js';
import { expectedRows, plainCell, type Row, readReference, rowsUnder } from './reference.js';

const page = readReference('configuration.md');

/** Numbers that depend on the machine. */
const byMemory: Readonly<Record<string, string>> = {
  '`nproc`': String(builtInDefaults.limits.nproc),
  '`max_workers`': String(configDefaults.limits.max_workers),
  '`memory`': `"${configDefaults.limits.memory / 1024 ** 2}M"`,
};

/** Key, what is expected and default of each row, and that there is a meaning. */
function written(heading: string): Row[] {
  const rows = rowsUnder(page, heading);
  for (const [key = '', , , meaning = ''] of rows)
    t.ok(meaning.length > 10, `${heading} ${key} has a meaning`);
  return rows.map(([key, expected, fallback]) => {
    const shown = fallback === 'by memory' ? byMemory[key ?? ''] : plainCell(fallback);
    return [plainCell(key), expected ?? '', shown ?? ''];
  });
}

/** The object behind an optional key. */
function tableOf(schema: z.ZodObject, key: string): z.ZodObject {
  const inner: unknown = schema.shape[key];
  const table = inner instanceof z.ZodExactOptional ? inner.unwrap() : inner;
  if (!(table instanceof z.ZodObject)) throw new TypeError(`${key} is no table`);
  return table;
}

t.test('every table of guise.toml is on the page', async (t) => {
  const defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = configDefaults;
  for (const name of Object.keys(configSchema.shape).filter((key) => key !== 'defaults')) {
    t.same(written(`\`[${name}]\``), expectedRows(tableOf(configSchema, name), defaults[name] ?? {}), name);
  }
  t.match(page, /^## `\[defaults\]`$/m);
});

t.test('every key of a site is on the page', async (t) => {
  const shared = new Set(Object.keys(defaultsSchema.shape));
  const own = Object.entries(siteSchema.shape).filter(([key]) => !shared.has(key));
  t.same(written('Keys that only a site has'), expectedRows(z.strictObject(Object.fromEntries(own)), {}));
  t.same(written('Keys of a site and of `[defaults]`'), expectedRows(defaultsSchema, builtInDefaults));
  t.same(written('`limits`'), expectedRows(tableOf(defaultsSchema, 'limits'), builtInDefaults.limits));
  t.same(written('`php_ini`'), expectedRows(tableOf(defaultsSchema, 'php_ini'), builtInDefaults.php_ini));
});
