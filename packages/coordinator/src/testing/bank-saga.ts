/** Sagas of tests, at the host `bank`. */
import { defaultRetry, type SagaSpec, type SagaStep } from '@amends/core';

/**
 * A saga whose steps are all started at once.
 * @param names of its steps, and of the paths that are called for them
 * @param step what differs in each step from one with a second for its call and the usual retries
 */
export function bankSaga(
  names: readonly string[],
  { step = {}, ...rest }: Partial<SagaSpec> & { readonly step?: Partial<SagaStep> } = {},
): SagaSpec {
  const steps = names.map((name) => ({
    kind: 'compensatable' as const,
    action: `http://bank/${name}`,
    compensate: `http://bank/un${name}`,
    timeoutMs: 1_000,
    actionRetry: defaultRetry,
    compensateRetry: defaultRetry,
    after: [],
    ...step,
  }));
  return {
    mode: 'saga',
    steps,
    payloads: names.map(() => new Uint8Array()),
    timeoutMs: null,
    timeoutReason: '',
    alarmAfterMs: null,
    headers: {},
    face: 'native',
    trace: null,
    presentation: {},
    ...rest,
  };
}

/** The same, but its steps come one after the other. */
export function serialSaga(names: readonly string[], rest: Parameters<typeof bankSaga>[1] = {}): SagaSpec {
  const spec = bankSaga(names, rest);
  return { ...spec, steps: spec.steps.map((step, index) => ({ ...step, after: index === 0 ? [] : [index - 1] })) };
}
