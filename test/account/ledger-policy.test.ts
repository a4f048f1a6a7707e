import t from 'tap';
import { isWanted, type LedgerPolicy } from '../../src/account/ledger-policy.js';
import { noUse, type Outcome } from '../../src/account/outcome.js';

const served: Outcome = {
  ...noUse,
  id: '',
  site: 'a.test',
  uid: 1,
  status: 200,
  reason: '',
  endedBy: 'script',
  queueMs: 100,
  runMs: 400,
};
const failed = { ...served, status: 500 };
const refused = { ...served, reason: 'queue-full', endedBy: 'guise' as const, status: 503 };
const policy: LedgerPolicy = { ledger: 'all', ledgerSample: 1, ledgerSlowerThanMs: 0 };

t.test('which requests have a line', async (t) => {
  const cases: [Partial<LedgerPolicy>, number, boolean, boolean][] = [
    [{}, 0.999, true, true],
    [{ ledger: 'off' }, 0, false, false],
    [{ ledger: 'errors' }, 0, false, true],
    [{ ledgerSample: 0.1 }, 0.09, true, true],
    [{ ledgerSample: 0.1 }, 0.1, false, true],
    [{ ledgerSample: 0 }, 0, false, true],
    [{ ledgerSlowerThanMs: 500 }, 0, true, true],
    [{ ledgerSlowerThanMs: 501 }, 0, false, true],
  ];
  for (const [more, chance, ordinary, errors] of cases) {
    const given = { ...policy, ...more };
    t.equal(isWanted(given, served, chance), ordinary, JSON.stringify(more));
    t.equal(isWanted(given, failed, chance), errors);
    t.equal(isWanted(given, refused, chance), errors);
  }
});
