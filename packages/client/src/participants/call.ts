/** Calls as they reach a participant. */

/** What names a call: the branch, its transaction, and the op. A barrier needs no more. */
export interface BranchRef {
  readonly gid: string;
  /** `saga`, `tcc`, `msg`, `xa` or `workflow`. */
  readonly transType: string;
  readonly branchId: string;
  /** `action`, `compensate`, `try`, `confirm`, `cancel`, … */
  readonly op: string;
  /** true: the caller uses the answer, so a barrier must give that of the first call. */
  readonly answerWanted?: boolean;
}

/** One call of a coordinator. */
export interface Call<Body = unknown> extends BranchRef {
  /** The payload, parsed; undefined: there was none. */
  readonly body: Body;
  /** Fencing token: grows with every change of the transaction's owner. Coordinators that are not Amends send none. */
  readonly epoch?: number;
  /** Address that commits or rolls back a branch of XA; sent with its `action`. */
  readonly phase2Url?: string;
  /** Number of this attempt, from 1. */
  readonly attempt?: number;
}

/** A request that is no call of a coordinator. The answer is 400. */
export class BadCall extends Error {
  override readonly name = 'BadCall';
}

/** A request as a framework has it. */
export interface IncomingCall {
  /** With its query; absolute or not. */
  readonly url: string;
  readonly header: (name: string) => string | undefined;
  /** The body, parsed. @throws BadCall when it is not JSON */
  readonly body: () => unknown;
}

/** Longest gid or branch id: as wide as DTM's barrier tables are. */
export const idCharactersMax = 128;
/** Longest op, mode or barrier id: as wide as DTM's barrier tables are. */
export const wordCharactersMax = 45;

/** Where a transport has the fields and headers of a call. */
export interface CallSource {
  /** What the transport calls a field of the branch, for errors, and its value; undefined: it is missing. */
  readonly field: (name: BranchField) => { readonly name: string; readonly value: string | undefined };
  readonly header: (name: string) => string | undefined;
  /** What only coordinators call, such as `this address`. */
  readonly target: string;
}

type BranchField = 'gid' | 'trans_type' | 'branch_id' | 'op';

/** Reads everything of a call but its body. @throws BadCall naming the field that is missing or wrong */
export function describeCall(source: CallSource): Omit<Call, 'body'> {
  const epoch = parseNumber(source.header('amends-epoch'));
  const attempt = parseNumber(source.header('amends-attempt'));
  return {
    gid: readField(source, 'gid', idCharactersMax),
    transType: readField(source, 'trans_type', wordCharactersMax),
    branchId: readField(source, 'branch_id', idCharactersMax),
    op: readField(source, 'op', wordCharactersMax),
    ...(epoch === null ? {} : { epoch }),
    ...(attempt === null ? {} : { attempt }),
    ...(source.header('amends-answer') === 'wanted' ? { answerWanted: true } : {}),
  };
}

/** Reads a call over HTTP. @throws BadCall naming the parameter that is missing or wrong, or when the body is not JSON */
export async function readCall({ url, header, body }: IncomingCall): Promise<Call> {
  const query = new URL(url, 'http://participant').searchParams;
  // Coordinators append their parameters to the address, so the last one of a name is theirs.
  const last = (name: string) => query.getAll(name).at(-1);
  const field = (name: BranchField) => ({ name: `the query parameter ${name}`, value: last(name) });
  const phase2Url = last('phase2_url');
  const call = describeCall({ field, header, target: 'this address' });
  return { ...call, body: await body(), ...(phase2Url === undefined ? {} : { phase2Url }) };
}

function readField({ field, target }: CallSource, of: BranchField, charactersMax: number): string {
  const { name, value = '' } = field(of);
  if (value === '') throw new BadCall(`${name} is missing: ${target} is for calls of a coordinator`);
  if (value.length > charactersMax) throw new BadCall(`${name} is longer than ${charactersMax} characters`);
  if (value !== value.trim()) throw new BadCall(`${name} begins or ends with white space`);
  return value;
}

function parseNumber(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null;
}
