/** A transfer between accounts at two banks, in two phases: both try, then both confirm, or both cancel. */
import { randomUUID } from 'node:crypto';
import { type Asked, ask, tccOf } from './tcc.ts';

/** An account at a bank. */
export interface Account {
  /** Address of the bank. */
  readonly bank: string;
  readonly account: string;
}

/** What to transfer. */
export interface Transfer {
  readonly from: Account;
  readonly to: Account;
  /** Whole cents: money is never a fraction. */
  readonly cents: number;
  /** How long the money may stay set aside without a decision; then all is cancelled. Whole seconds, default 30. */
  readonly timeoutS?: number;
}

/** A transfer that both banks have tried; it is nothing yet. */
export interface Reserved {
  readonly gid: string;
  /** Whether both banks have agreed; otherwise what was set aside is being released already. */
  readonly agreed: boolean;
  /** Decides that it shall be. From here on it cannot fail. */
  confirm(): Promise<void>;
}

/**
 * Tries at both banks. Each branch is registered before it is tried: what may have happened is known, whoever dies.
 * @param server address of the coordinator
 */
export async function reserve(server: string, { from, to, cents, timeoutS = 30 }: Transfer): Promise<Reserved> {
  const gid = randomUUID();
  const tcc = tccOf(server, gid);
  await tcc.prepare(timeoutS);
  const withdraw = await branch('01', `${from.bank}/withdraw`, from.account);
  const deposit = withdraw === 'agreed' ? await branch('02', `${to.bank}/deposit`, to.account) : 'not asked';
  const agreed = deposit === 'agreed';
  if (!agreed) await tcc.abort(`withdraw: ${withdraw}, deposit: ${deposit}`);
  return { gid, agreed, confirm: tcc.submit };

  async function branch(branchId: string, url: string, account: string): Promise<Asked> {
    const payload = JSON.stringify({ account, cents });
    await tcc.register({ branchId, confirm: `${url}/confirm`, cancel: `${url}/cancel`, payload });
    const query = new URLSearchParams({ gid, trans_type: 'tcc', branch_id: branchId, op: 'try' });
    return ask(`${url}/try?${query}`, payload);
  }
}
