/** A call that reaches a participant. */

/** Which branch of which transaction, and what is asked of it. The barrier needs no more. */
export interface BranchRef {
  readonly gid: string;
  /** `saga`, `tcc`, `msg`, `xa` or `workflow`. */
  readonly transType: string;
  readonly branchId: string;
  /** `action`, `compensate`, `try`, `confirm`, `cancel`, … */
  readonly op: string;
  /** Whoever calls will go by what is answered: nothing may stand in for it. */
  readonly answerWanted?: boolean;
}

/** One call of a coordinator. */
export interface Call<Body = unknown> extends BranchRef {
  /** The payload, parsed; undefined: there was none. */
  readonly body: Body;
  /** Fencing token: grows with every change of the transaction's owner. Coordinators that are not Amends send none. */
  readonly epoch?: number;
  /** Where a branch of an XA transaction is to be committed and rolled back; sent with its `action`. */
  readonly phase2Url?: string;
  /** Number of this attempt, from 1. */
  readonly attempt?: number;
}

/** A request that is no call of a coordinator; answered with 400. */
export class BadCall extends Error {
  override readonly name = 'BadCall';
}

/** What a framework knows of a request. */
export interface IncomingCall {
  /** With its query; absolute or not. */
  readonly url: string;
  readonly header: (name: string) => string | undefined;
  /** The body, parsed. @throws BadCall when it is not JSON */
  readonly body: () => unknown;
}

/** Longest gid or branch id: as wide as DTM's barrier tables are. */
export const idCharactersMax = 128;
/** Longest op, type or barrier id: as wide as DTM's barrier tables are. */
export const wordCharactersMax = 45;

/** Reads what a coordinator sends along. @throws BadCall naming the parameter that is missing or wrong */
export async function readCall({ url, header, body }: IncomingCall): Promise<Call> {
  const query = new URL(url, 'http://participant').searchParams;
  const epoch = numberIn(header('amends-epoch'));
  const attempt = numberIn(header('amends-attempt'));
  const phase2Url = query.getAll('phase2_url').at(-1);
  return {
    gid: parameter(query, 'gid', idCharactersMax),
    transType: parameter(query, 'trans_type', wordCharactersMax),
    branchId: parameter(query, 'branch_id', idCharactersMax),
    op: parameter(query, 'op', wordCharactersMax),
    body: await body(),
    ...(epoch === null ? {} : { epoch }),
    ...(attempt === null ? {} : { attempt }),
    ...(header('amends-answer') === 'wanted' ? { answerWanted: true } : {}),
    ...(phase2Url === undefined ? {} : { phase2Url }),
  };
}

/** Coordinators append their parameters, so the last one is theirs. */
function parameter(query: URLSearchParams, name: string, charactersMax: number): string {
  const value = query.getAll(name).at(-1) ?? '';
  if (value === '') throw new BadCall(`the query parameter ${name} is missing: this address is for calls of a coordinator`);
  if (value.length > charactersMax) throw new BadCall(`the query parameter ${name} is longer than ${charactersMax} characters`);
  if (value !== value.trim()) throw new BadCall(`the query parameter ${name} begins or ends with white space`);
  return value;
}

function numberIn(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null;
}
