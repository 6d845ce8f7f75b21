/** The four requests of a TCC transaction to its coordinator, as DTM's clients make them, in plain HTTP. */

/** A branch before it is tried. */
export interface Branch {
  readonly branchId: string;
  /** Address that makes what was tried final. */
  readonly confirm: string;
  /** Address that undoes what was tried, if it was. */
  readonly cancel: string;
  /** JSON; body of both. */
  readonly payload: string;
}

/** Requests about one transaction. @throws Error when the coordinator does not agree; then nothing is decided by it */
export interface Tcc {
  /** Announces it. Without a decision within `timeoutS` seconds all its branches are cancelled. */
  prepare(timeoutS: number): Promise<void>;
  register(branch: Branch): Promise<void>;
  submit(): Promise<void>;
  abort(reason: string): Promise<void>;
}

/** Pause after a confirm or cancel that nobody has answered; it doubles each time. Seconds. */
const retryS = 1;

/** The requests about the transaction `gid` to the coordinator at `server`. */
export function tccOf(server: string, gid: string): Tcc {
  const request = async (verb: string, fields: object = {}) => {
    const body = JSON.stringify({ gid, trans_type: 'tcc', ...fields });
    const asked = await ask(`${server}/api/dtmsvr/${verb}`, body);
    if (asked !== 'agreed')
      throw new Error(`${verb} ${gid}: the coordinator ${asked === 'refused' ? 'refuses' : 'does not answer'}`);
  };
  return {
    prepare: (timeoutS) => request('prepare', { timeout_to_fail: timeoutS, retry_interval: retryS }),
    register: ({ branchId, confirm, cancel, payload }) =>
      request('registerBranch', { branch_id: branchId, confirm, cancel, data: payload }),
    submit: () => request('submit'),
    abort: (reason) => request('abort', { rollback_reason: reason }),
  };
}

/** What came of a request. `unknown`: it may have been carried out or not, or will be. */
export type Asked = 'agreed' | 'refused' | 'unknown';

/** Posts JSON. */
export async function ask(url: string, body: string): Promise<Asked> {
  try {
    const { status } = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    if (status === 409) return 'refused';
    return status === 200 ? 'agreed' : 'unknown';
  } catch {
    return 'unknown';
  }
}
