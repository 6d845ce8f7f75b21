/** XA: the databases of the participants prepare their work; the coordinator then commits all, or rolls back all. */
import type { Transaction } from '../api/api-types.ts';
import { AmendsClientError } from '../api/client-error.ts';
import type { PreparedBranch, XaResource } from '../barriers/xa-resource.ts';
import type { Call } from '../participants/call.ts';
import { BusinessFailure, type Handler } from '../participants/verdict.ts';
import { branchIds } from './branch-ids.ts';
import { begin, type Means, orAbort, type RunOptions } from './open-transaction.ts';

/** An XA transaction under way. */
export interface Xa {
  readonly gid: string;
  /**
   * Calls a participant, which does its work and prepares it. The same address is called for the second phase.
   * @returns its answer
   * @throws BusinessFailure, Ongoing: its verdict. ParticipantError: it has given none
   */
  call<Answer = unknown>(url: string, payload?: unknown): Promise<Answer>;
}

/** Runs work; returns: commits all. Throws: rolls back all. */
export async function runXa(means: Means, work: (xa: Xa) => unknown, { waitMs, ...options }: RunOptions): Promise<Transaction> {
  const open = await begin(means, 'xa', options);
  const nextId = branchIds();
  await orAbort(open, (tracked) => {
    const call = (url: string, payload: unknown = {}) =>
      open.callBranch(url, { branchId: nextId(), op: 'action' }, { payload, query: { phase2_url: url } });
    return work({ gid: open.gid, call: <Answer>(...to: Parameters<typeof call>) => tracked(call(...to)) as Promise<Answer> });
  });
  return open.submit(waitMs === undefined ? {} : { waitMs });
}

/** Work of a branch, in the transaction of its database. */
export type XaWork<Tx, Body> = (tx: Tx, call: Call<Body>) => unknown;

/** A handler for all phases of a branch. */
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
 * Prepared branches whose transaction has ended or is not known to the coordinator: nobody will ever end them, and they hold
 * their locks. They are for a human to judge; another coordinator may know them.
 */
export async function orphansOf<Tx>(
  resource: XaResource<Tx>,
  find: (gid: string) => Promise<Transaction>,
): Promise<readonly PreparedBranch[]> {
  const orphans: PreparedBranch[] = [];
  for (const branch of await resource.prepared()) if (await isOver(branch.gid, find)) orphans.push(branch);
  return orphans;
}

async function isOver(gid: string, find: (gid: string) => Promise<Transaction>): Promise<boolean> {
  try {
    return (await find(gid)).outcome !== 'running';
  } catch (error) {
    if (error instanceof AmendsClientError && error.code === 'not_found') return true;
    throw error;
  }
}
