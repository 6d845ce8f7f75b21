/** What no story of events tells: messages on hold as earlier versions have stored them, and as what cannot be read. */
import { expect, test } from 'vitest';
import {
  type BranchId,
  decide,
  epochMs,
  type Gid,
  givenAtFirst,
  type Hold,
  type MsgSpec,
  nodeId,
  type OpState,
  type Transaction,
  type TransactionEvent,
} from '../index.ts';

const spec: MsgSpec = {
  mode: 'msg',
  steps: ['01-01', '01-02', '02'].map((id) => ({ branchId: id as BranchId, action: `http://bank/${id}` })),
  query: '',
  askAfterMs: 10_000,
  delayMs: 0,
  notBefore: null,
  callTimeoutMs: 3_000,
  retry: { kind: 'fixed', delayMs: 1_000, delayMsMax: 1_000, attemptsMax: 2, atEnd: 'hold' },
  concurrent: false,
  payloads: [new Uint8Array(), new Uint8Array(), new Uint8Array()],
  headers: {},
  face: 'native',
  alarmAfterMs: null,
  trace: null,
  presentation: {},
};
const given = givenAtFirst(spec);
const now = { at: epochMs(9_000), jitter: 0 };
const waiting = (unknowns: number): OpState => ({
  at: 'waiting',
  attempts: 2,
  settledAt: epochMs(0),
  unknowns,
  dueAt: epochMs(2_000),
});
const hold: Hold = { code: 'attempts-exhausted', branchId: '01-01' as BranchId, op: 'action' };

/** A message on hold whose deliveries stand so. */
function held(deliveries: readonly OpState[], why: Hold): Transaction {
  const begun = decide(null, given, [{ type: 'submitted', gid: 'g' as Gid, owner: nodeId('n'), at: epochMs(1_000), jitter: 0 }]);
  const branches = begun.next.branches.map((branch, index) => ({ ...branch, forward: deliveries[index - 1] ?? branch.forward }));
  return { ...begun.next, hold: why, branches };
}

/** What it would call now. */
function called(tx: Transaction, events: readonly TransactionEvent[]): readonly number[] {
  return decide(tx, given, events).ready.map(({ branch }) => branch);
}

test('what the hold of an earlier version names was waiting, and is not called while held', () => {
  expect(called(held([waiting(2), waiting(1)], hold), [{ type: 'woken', ...now }])).toEqual([2]);
  expect(called(held([waiting(1), waiting(1)], { ...hold, code: 'address-forbidden' }), [{ type: 'woken', ...now }])).toEqual([
    2,
  ]);
});

test('what an earlier hold named stays uncalled when another delivery is held, until a human has both called', () => {
  const running: OpState = { at: 'running', attempts: 2, settledAt: epochMs(0), unknowns: 1, startedAt: epochMs(8_000) };
  const outcome = { class: 'unknown', code: 'x', detail: '', exchange: 'answered', durationMs: 1 } as const;
  const answered: TransactionEvent = { type: 'answered', branch: 2, way: 'forward', attempt: 2, outcome, ...now };
  const { next, ready } = decide(held([waiting(1), running], hold), given, [answered]);
  expect(ready).toEqual([]);
  expect(next.branches.map(({ forward }) => forward.at)).toEqual(['idle', 'given-up', 'given-up', 'idle']);
  const retried = { type: 'intervened', verb: 'retry', actor: 'ann', reason: '', expectedVersion: null, ...now } as const;
  expect(called(next, [retried])).toEqual([1, 2]);
});

test('one whose attempts an earlier version has used up stays uncalled although the hold names another', () => {
  const both = held([waiting(2), waiting(2)], hold);
  expect(called(both, [{ type: 'woken', ...now }])).toEqual([]);
});

test('a message that could not be read calls nothing while held, and takes requests', () => {
  const tx = held([waiting(0)], { code: 'unreadable' });
  const events: TransactionEvent[] = [{ type: 'woken', ...now }, { type: 'aborted', reason: '', ...now } as TransactionEvent];
  const { verdicts, ready, wakeAt } = decide(tx, given, events);
  expect({ verdicts, ready, wakeAt }).toEqual({ verdicts: ['taken', 'wrong_status'], ready: [], wakeAt: null });
});
