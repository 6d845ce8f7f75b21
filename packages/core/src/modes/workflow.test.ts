import { expect, test } from 'vitest';
import {
  decide,
  defaultRetry,
  epochMs,
  type Gid,
  givenAtFirst,
  nodeId,
  type TransactionEvent,
  type WorkflowSpec,
} from '../index.ts';

const spec: WorkflowSpec = {
  mode: 'workflow',
  name: 'w',
  resume: '',
  callTimeoutMs: 1_000,
  retry: defaultRetry,
  payloads: [new Uint8Array()],
  headers: {},
  face: 'native',
  alarmAfterMs: null,
  trace: null,
  presentation: {},
};
const at = { at: epochMs(1_000), jitter: 0 };

test('a workflow that was terminated while it could not be read has no decision, and answers a conclusion all the same', () => {
  const given = givenAtFirst(spec);
  const { next } = decide(null, given, [{ type: 'prepared', gid: 'g' as Gid, owner: nodeId('n'), ...at }]);
  const ended = { ...next, status: 'failed', finishedAt: next.updatedAt, reason: 'terminated by ann: lost' } as const;
  const concluded = (status: 'succeed' | 'failed'): TransactionEvent =>
    ({ type: 'concluded', status, reason: 'no money', result: new Uint8Array(), ...at }) as const;
  expect(decide(ended, given, [concluded('failed'), concluded('succeed')]).verdicts).toEqual(['repeated', 'wrong_status']);
});
