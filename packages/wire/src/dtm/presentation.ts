/** What is kept of a DTM request beside its meaning, so that queries show it again as it came. */
import type { Spec } from '@amends/core';
import type { DtmTransaction } from './transaction.ts';

/** Options as DTM writes them: those that are zero are left out, but for `concurrent`. */
interface DtmOptions {
  readonly wait_result?: true;
  readonly timeout_to_fail?: number;
  readonly request_timeout?: number;
  readonly retry_interval?: number;
  readonly branch_headers?: Readonly<Record<string, string>>;
  readonly concurrent: boolean;
  readonly retry_limit?: number;
}

interface Presentation {
  readonly protocol: string;
  readonly customData: string;
  readonly queryPrepared: string;
  readonly options: DtmOptions;
  /** Topics that steps of a message name, by the branch id of the step. Left out: none does. */
  readonly topics?: Readonly<Record<string, string>>;
}

/** What to keep. */
export function presentationOf(dtm: DtmTransaction): Readonly<Record<string, unknown>> {
  const kept: Presentation = {
    protocol: dtm.protocol === '' ? 'http' : dtm.protocol,
    customData: dtm.custom_data,
    queryPrepared: dtm.query_prepared,
    options: optionsOf(dtm),
  };
  return kept as unknown as Readonly<Record<string, unknown>>;
}

/** What was kept; a transaction that came by another face is shown as a plain one. */
export function keptOf(spec: Spec): Presentation {
  if (spec.face === 'dtm') return spec.presentation as unknown as Presentation;
  return { protocol: spec.protocol ?? 'http', customData: '', queryPrepared: '', options: { concurrent: false } };
}

function optionsOf(dtm: DtmTransaction): DtmOptions {
  return {
    ...(dtm.wait_result ? { wait_result: true as const } : {}),
    ...(dtm.timeout_to_fail > 0 ? { timeout_to_fail: dtm.timeout_to_fail } : {}),
    ...(dtm.request_timeout > 0 ? { request_timeout: dtm.request_timeout } : {}),
    ...(dtm.retry_interval > 0 ? { retry_interval: dtm.retry_interval } : {}),
    ...(Object.keys(dtm.branch_headers).length > 0 ? { branch_headers: dtm.branch_headers } : {}),
    concurrent: dtm.concurrent,
    ...(dtm.retry_limit > 0 ? { retry_limit: dtm.retry_limit } : {}),
  };
}
