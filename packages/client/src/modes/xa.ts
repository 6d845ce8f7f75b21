/** XA: the participants' databases prepare their work; the coordinator then commits all, or rolls back all. */
import type { Transaction } from '../api/api-types.ts';
import { AmendsClientError } from '../api/client-error.ts';
import type { PreparedBranch, XaResource } from '../barriers/xa-resource.ts';
import type { Call } from '../participants/call.ts';
import { BusinessFailure, type Handler } from '../participants/verdict.ts';
import { branchIds } from './branch-ids.ts';
import { begin, type Means, type RunOptions, runOrAbort } from './open-transaction.ts';

/** An XA transaction under way. */
export interface Xa {
  readonly gid: string;
  /**
   * Calls a participant, which does its work and prepares it. The coordinator calls the same address for the second phase.
   * @returns its answer
   * @throws BusinessFailure, Ongoing: its verdict. ParticipantError: it has given none
   */
  call<Answer = unknown>(url: string, payload?: unknown): Promise<Answer>;
}

/** Runs work. When it returns, all branches are committed; when it throws, all are rolled back. */
export async function runXa(means: Means, work: (xa: Xa) => unknown, { waitMs, ...options }: RunOptions): Promise<Transaction> {
  const open = await begin(means, 'xa', options);
  const nextId = branchIds();
  await runOrAbort(open, (track) => {
    const call = (url: string, payload: unknown = {}) =>
      open.callBranch(url, { branchId: nextId(), op: 'action' }, { payload, query: { phase2_url: url } });
    return work({ gid: open.gid, call: <Answer>(...to: Parameters<typeof call>) => track(call(...to)) as Promise<Answer> });
  });
  return open.submit(waitMs === undefined ? {} : { waitMs });
}

/** The work of a branch, in a transaction of its database. */
export type XaWork<Tx, Body> = (tx: Tx, call: Call<Body>) => unknown;

/** Makes a handler for all phases of a branch. */
export function xaHandler<Tx, Body>({ port }: Means, resource: XaResource<Tx>, work: XaWork<Tx, Body>): Handler<Body> {
  return async (call) => {
    switch (call.op) {
      case 'action':
        return resource.prepare(
          call,
          async (tx) => work(tx, call),
          () => register(call),
        );
      case 'commit':
        return resource.commit(call);
      case 'rollback':
        return resource.rollback(call);
      default:
        throw new TypeError(`a branch of XA is asked for its ${call.op}; it knows action, commit and rollback`);
    }
  };

  async function register({ gid, branchId, phase2Url: url }: Call): Promise<void> {
    if (url === undefined) throw new TypeError('the query parameter phase2_url is missing: who commits would not know where');
    try {
      await port.register({ mode: 'xa', gid, branchId, url });
    } catch (error) {
      if (!(error instanceof AmendsClientError && error.code === 'conflict')) throw error;
      throw new BusinessFailure(`the transaction ${gid} takes no more branches: ${error.message}`, { cause: error });
    }
  }
}

/**
 * Finds prepared branches whose transaction has ended or is not known to the coordinator. They hold their locks until a human
 * ends them, who must first make sure that no other coordinator knows them.
 */
export async function findOrphans<Tx>(
  resource: XaResource<Tx>,
  find: (gid: string) => Promise<Transaction>,
): Promise<readonly PreparedBranch[]> {
  const orphans: PreparedBranch[] = [];
  for (const branch of await resource.prepared()) if (await hasEnded(branch.gid, find)) orphans.push(branch);
  return orphans;
}

async function hasEnded(gid: string, find: (gid: string) => Promise<Transaction>): Promise<boolean> {
  try {
    return (await find(gid)).outcome !== 'running';
  } catch (error) {
    if (error instanceof AmendsClientError && error.code === 'not_found') return true;
    throw error;
  }
}
