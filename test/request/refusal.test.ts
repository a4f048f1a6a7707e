import t from 'tap';
import { errno } from '../../src/os/errno.js';
import { refusal, spoolReason } from '../../src/request/refusal.js';

const refused = { requestId: 3, keep: true, head: undefined };

t.test('a refusal says what to answer', async (t) => {
  t.same(refusal(refused, 'body-too-large'), {
    kind: 'refuse',
    status: 413,
    reason: 'body-too-large',
    protocolStatus: 0,
    requestId: 3,
    keep: true,
    head: undefined,
    errno: 0,
  });
  t.match(refusal(refused, 'unknown-role'), { status: 501, protocolStatus: 3 });
  t.match(refusal(refused, 'spool-full', errno.ENOSPC), { status: 507, errno: errno.ENOSPC });
});

t.test('no room is told from other failures', async (t) => {
  for (const failure of [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM])
    t.equal(spoolReason(failure), 'spool-full');
  for (const failure of [errno.EIO, errno.EMFILE, errno.ENOENT])
    t.equal(spoolReason(failure), 'spool-failed');
});
