/**
 * DTM's transaction JSON, read as DTM's own server reads it: null for any key, unknown keys ignored, letter case of keys
 * ignored, payloads also inside the steps. What a Go decoder refuses is refused here too, naming the field.
 */
import { type Gid, type Mode, refuse, type Trace } from '@amends/core';
import { readArray, readCount, readObject, readText, readTruth, textMap, textOrEmpty } from '../input/json-values.ts';
import { shown } from '../input/shown.ts';
import type { DtmBody } from './body.ts';
import { parseDtmGid } from './gid.ts';

/** A transaction as a DTM client sends it, with the defaults of its wire; times in seconds. */
export interface DtmTransaction {
  gid: Gid;
  mode: Mode;
  steps: readonly DtmStep[];
  /** Payloads by step, those inside the steps included. */
  payloads: readonly Uint8Array[];
  query_prepared: string;
  protocol: string;
  custom_data: string;
  rollback_reason: string;
  wait_result: boolean;
  timeout_to_fail: number;
  request_timeout: number;
  retry_interval: number;
  retry_limit: number;
  branch_headers: Readonly<Record<string, string>>;
  concurrent: boolean;
  /** How a workflow ended: `status`, `rollback_reason`, `result`. */
  req_extra: Readonly<Record<string, string>>;
  /** The trace that the request belongs to; not a part of the JSON. */
  trace: Trace | null;
}

/** One step; which keys mean something depends on the type of the transaction. */
type DtmStep = Readonly<Record<string, string>>;

type Field = Exclude<keyof DtmTransaction, 'mode' | 'trace'> | 'trans_type';

/** What a transaction has beside its fields. */
interface Beside {
  /** The trace that the request belongs to, by its header `traceparent`. */
  readonly trace?: Trace | null;
  /** Left out: what `trans_type` says. */
  readonly mode?: Mode;
}

/**
 * Reads a transaction.
 * @throws AmendsError `invalid_request` naming the field that has a wrong type or value
 */
export function parseDtmTransaction({ fields: body, payloads }: DtmBody, { trace = null, mode }: Beside = {}): DtmTransaction {
  const transaction = blank(trace);
  let type = '';
  const source = readObject('body', body);
  for (const key in source) {
    const field = fieldOf(key);
    const value = source[key];
    if (field === undefined || value === null) continue;
    if (field === 'trans_type') type = readText(field, value);
    else assign(transaction, field, value);
  }
  if (transaction.gid === '') refuse('gid', 'is missing; take one from newGid');
  transaction.mode = mode ?? readMode(type);
  transaction.payloads = payloads ?? withPayloadsInSteps(transaction);
  return transaction;
}

const modes: ReadonlySet<string> = new Set<Mode>(['saga', 'msg', 'tcc', 'xa', 'workflow']);

function readMode(type: string): Mode {
  if (!modes.has(type)) refuse('trans_type', `is ${shown(type)}, must be "saga", "msg", "tcc", "xa" or "workflow"`);
  return type as Mode;
}

/** What a body without keys says; gid and mode are filled in before anybody sees it. */
function blank(trace: Trace | null): DtmTransaction {
  return {
    gid: '' as Gid,
    mode: 'saga',
    steps: [],
    payloads: [],
    query_prepared: '',
    protocol: '',
    custom_data: '',
    rollback_reason: '',
    wait_result: false,
    timeout_to_fail: 0,
    request_timeout: 0,
    retry_interval: 0,
    retry_limit: 0,
    branch_headers: {},
    concurrent: false,
    req_extra: {},
    trace,
  };
}

const { mode: _mode, trace: _trace, ...named } = blank(null);
const fields: ReadonlyMap<string, Field> = new Map([...Object.keys(named), 'trans_type'].map((key) => [key, key as Field]));

function fieldOf(key: string): Field | undefined {
  return fields.get(key) ?? fields.get(key.toLowerCase());
}

function assign(transaction: DtmTransaction, field: Exclude<Field, 'trans_type'>, value: unknown): void {
  switch (field) {
    case 'gid':
      transaction.gid = parseDtmGid(readText(field, value));
      return;
    case 'steps':
      transaction.steps = readArray(field, value).map(readStep);
      return;
    case 'payloads':
      transaction.payloads = readArray(field, value).map((payload, index) => bytesOf(textOrEmpty(field, payload, index)));
      return;
    case 'branch_headers':
    case 'req_extra':
      transaction[field] = textMap(field, value);
      return;
    case 'wait_result':
    case 'concurrent':
      transaction[field] = readTruth(field, value);
      return;
    case 'timeout_to_fail':
    case 'request_timeout':
    case 'retry_interval':
    case 'retry_limit':
      transaction[field] = readCount(field, value);
      return;
    default:
      transaction[field] = readText(field, value);
  }
}

function readStep(step: unknown, index: number): DtmStep {
  if (step === null) return {};
  return textMap('steps', step, index);
}

/** Clients from before version 1.0 put a step's payload into the step. */
function withPayloadsInSteps({ payloads, steps }: DtmTransaction): readonly Uint8Array[] {
  const inSteps = steps.filter(({ data = '' }) => data !== '');
  return inSteps.length === 0 ? payloads : [...payloads, ...inSteps.map(({ data = '' }) => bytesOf(data))];
}

const noBytes = new Uint8Array(0);

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return text === '' ? noBytes : Buffer.from(text, 'utf8');
}
