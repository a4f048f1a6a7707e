import fc from 'fast-check';
import t from 'tap';
import { orderMaxBytes, type RouterSite, writeOrder } from '../../src/control/router-messages.js';
import { inPortions, packRows, type RouterRow, unpackRows } from '../../src/control/router-rows.js';
import { siteConfig } from '../router/rig.js';

const names = fc.array(fc.string(), { maxLength: 3 });
const row = fc
  .record({
    name: fc.string(),
    aliases: names,
    keyHashes: names,
    visitors: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
    isHidden: fc.boolean(),
    maxWorkers: fc.integer({ min: 1, max: 2 }),
    mode: fc.constantFrom('pool', 'per-request'),
  })
  .map((more): RouterSite => ({ ...siteConfig, ...more }));

/** With what they inherit as their own. */
function flat(rows: readonly RouterRow[]): RouterRow[] {
  return rows.map(([id, site]) => [id, { ...(Object.getPrototypeOf(site) as RouterSite), ...site }]);
}

t.test('rows there and back, whatever they have in common', async (t) => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), (sites) => {
      const rows = sites.map((site, n): RouterRow => [n + 1, site]);
      const sent: unknown = JSON.parse(JSON.stringify(packRows(rows)));
      t.same(flat(unpackRows(sent as ReturnType<typeof packRows>)), rows);
    }),
  );
});

t.test('what sites have in common is said once', async (t) => {
  const rows = Array.from(
    { length: 100 },
    (_, n): RouterRow => [n + 1, { ...siteConfig, name: `s${n}.test`, keyHashes: ['ab'.repeat(32)] }],
  );
  const packed = packRows([...rows, [101, { ...siteConfig, name: 'other.test', maxWorkers: 99 }]]);
  t.equal(packed.terms.length, 2);
  t.ok(JSON.stringify(packed).length / rows.length < 150, 'hardly more than name and key');
});

t.test('portions are in order, complete, and fit into a message', async (t) => {
  const buffer = Buffer.alloc(orderMaxBytes);
  const order = { type: 0, site: 0, worker: 0, a: 0, b: 0 };
  const size = fc.constantFrom(0, 10, 300, 1000);
  fc.assert(
    fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
      const rows = sizes.map((many, n): RouterRow => {
        const aliases = Array.from({ length: many }, (_, i) => `${String(i).padStart(96, 'a')}.xyz`);
        return [n + 1, { ...siteConfig, name: `s${n}`, aliases }];
      });
      const portions = [...inPortions(rows)];
      t.same(portions.flat(), rows);
      for (const portion of portions) writeOrder(buffer, order, packRows(portion)); // throws when it does not fit
    }),
    { numRuns: 20 },
  );
  t.same([...inPortions([])], []);
});
