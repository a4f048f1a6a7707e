import t from 'tap';
import { RecordType, Role } from '../../src/fastcgi/constants.js';
import { type Action, judge, phaseOf, type State, whenDraining } from '../../src/request/order.js';

const states = ['idle', 'begin', 'params', 'body', 'drain', 'drained', 'done'] as const satisfies State[];

/** What each state does with a record, in the order of `states`. */
function row(
  type: number,
  requestId: number,
  contentLength: number,
  role: number = Role.RESPONDER,
): Action[] {
  const active = (state: State) => (state === 'idle' ? 0 : 1);
  return states.map((state) => judge(state, active(state), role, { type, requestId, contentLength }));
}

t.test('BEGIN_REQUEST', async (t) => {
  const used = 'duplicate-begin';
  t.same(row(1, 1, 8), ['begin', used, used, used, 'begin-next', used, used]);
  t.same(row(1, 2, 8), ['begin', 'second', 'second', 'second', 'begin-next', 'second', 'second']);
  t.same(new Set(row(1, 0, 8)), new Set(['begin-id']));
  t.same(new Set([...row(1, 1, 7), ...row(1, 2, 9)]), new Set(['begin-length']));
});

t.test('PARAMS', async (t) => {
  const late = 'params-after-end';
  t.same(row(RecordType.PARAMS, 1, 5), ['stray', late, 'params', late, 'nothing', late, late]);
  t.same(row(RecordType.PARAMS, 1, 0), ['stray', late, 'params', late, 'nothing', late, late]);
});

t.test('STDIN', async (t) => {
  const early = 'stdin-before-params';
  t.same(row(RecordType.STDIN, 1, 5), ['stray', 'stray', early, 'stdin', 'nothing', 'stray', 'stray']);
  t.same(row(RecordType.STDIN, 1, 0), ['stray', 'stray', early, 'stdin', 'last', 'stray', 'stray']);
});

t.test('the end of a refused authorizer is the end of its parameters', async (t) => {
  t.equal(row(RecordType.PARAMS, 1, 0, Role.AUTHORIZER)[4], 'last');
  t.equal(row(RecordType.PARAMS, 1, 1, Role.AUTHORIZER)[4], 'nothing');
  t.equal(row(RecordType.PARAMS, 1, 0, Role.FILTER)[4], 'nothing');
});

t.test('ABORT_REQUEST', async (t) => {
  t.same(row(RecordType.ABORT_REQUEST, 1, 0), ['stray', 'abort', 'abort', 'abort', 'last', 'abort', 'abort']);
});

t.test(
  'ids that are not being served, and id 0, which an idle connection must not take for its own',
  async (t) => {
    for (const type of [RecordType.PARAMS, RecordType.STDIN, RecordType.ABORT_REQUEST, RecordType.DATA]) {
      for (const id of [0, 2])
        t.same(new Set(row(type, id, 5)), new Set(['stray']), `type ${type}, id ${id}`);
    }
  },
);

t.test('management and unknown types, whatever the state', async (t) => {
  t.same(new Set(row(RecordType.GET_VALUES, 0, 5)), new Set(['question']));
  t.same(new Set(row(RecordType.GET_VALUES, 1, 5)), new Set(['unexpected-type']));
  for (const type of [0, 12, 255])
    t.same(new Set([...row(type, 0, 5), ...row(type, 1, 5)]), new Set(['unknown-type']));
  for (const type of [3, 6, 7, 10, 11])
    t.same(new Set(row(type, 1, 0)), new Set(['unexpected-type']), `type ${type}`);
});

t.test('phases', async (t) => {
  t.equal(phaseOf('idle', true), 'idle');
  t.equal(phaseOf('idle', false), 'params');
  t.same(
    states.slice(1).map((state) => phaseOf(state, true)),
    ['params', 'params', 'body', 'drain', 'drain', 'done'],
  );
});

t.test('a record in whose middle draining begins', async (t) => {
  t.equal(whenDraining('stdin', 0), 'last');
  t.equal(whenDraining('abort', 0), 'last');
  t.equal(whenDraining('question', 20), 'question');
  for (const use of ['stdin', 'params', 'begin', 'nothing'] as const)
    t.equal(whenDraining(use, 8), 'nothing');
});
