/** The request of a call over HTTP, as undici takes it. */
import type { Dispatcher } from 'undici';
import type { BranchCall } from '../../ports/ports.ts';
import { headerText } from '../header-text.ts';
import { isJsonRpc, jsonRpcBody } from './json-rpc-call.ts';

/** Names and values in turns. */
type FlatHeaders = readonly string[];

/** The last headers of each call, whose values differ from call to call. */
const perCall = ['amends-epoch', '', 'amends-attempt', ''] as const;
const epochFromEnd = 3;
const attemptFromEnd = 1;

/** Makes a function that makes requests; it returns null when the protocol of the transaction cannot carry the payload. */
export function requestMaker(userAgent: string): (call: BranchCall) => Dispatcher.DispatchOptions | null {
  const bodiless = ['accept', 'application/json', 'user-agent', userAgent, ...perCall];
  const withBody = ['content-type', 'application/json', ...bodiless];
  return (call) => {
    const rpc = isJsonRpc(call);
    const body = rpc ? jsonRpcBody(call) : call.payload;
    if (body === null) return null;
    const hasBody = body.length > 0;
    return {
      path: rpc ? call.address.path : pathOf(call),
      method: hasBody || call.mode === 'xa' ? 'POST' : 'GET',
      headers: headersOf(hasBody ? withBody : bodiless, call),
      body: hasBody ? body : null,
      // The exchange keeps the deadline of the whole. undici's time-outs are coarser, and each is for one phase.
      headersTimeout: 0,
      bodyTimeout: 0,
      // A connection carries one exchange at a time, so there is nothing to hold back.
      blocking: false,
    };
  };
}

/** The stored path, then DTM's parameters in alphabetical order. */
function pathOf({ address: { path }, branchId, gid, op, mode, workflow }: BranchCall): string {
  const sign = path.includes('?') ? '&' : '?';
  const name = workflow === '' ? op : encodeURIComponent(workflow);
  return `${path}${sign}branch_id=${encodeURIComponent(branchId)}&gid=${encodeURIComponent(gid)}&op=${name}&trans_type=${mode}`;
}

/** The transaction's headers override ours, except the epoch, the number of the attempt and whether the answer is wanted. */
function headersOf(ours: FlatHeaders, { headers: theirs, epoch, attempt, keepsAnswer }: BranchCall): string[] {
  const headers = Object.keys(theirs).length === 0 ? ours.slice() : override(ours, theirs);
  headers[headers.length - epochFromEnd] = String(epoch);
  headers[headers.length - attemptFromEnd] = String(attempt);
  if (keepsAnswer) headers.push('amends-answer', 'wanted');
  return headers;
}

/** Headers that no transaction may set. */
const isOurs: ReadonlySet<string> = new Set(['amends-epoch', 'amends-attempt', 'amends-answer']);

/** Drops the content type of a request without a body, because servers that parse by type take that for a broken request. */
function override(ours: FlatHeaders, theirs: BranchCall['headers']): string[] {
  const headers = new Map<string, string>();
  for (let i = 0; i < ours.length; i += 2) headers.set(ours[i]!, ours[i + 1]!);
  const hasType = headers.has('content-type');
  for (const [name, value] of Object.entries(theirs)) headers.set(name.toLowerCase(), headerText(value));
  if (!hasType) headers.delete('content-type');
  return [...headers].flatMap(([name, value]) => (isOurs.has(name) ? [] : [name, value])).concat(perCall);
}
