/** What the last run left unfinished: it goes on where it stopped, on the databases of that run. */
import { setTimeout } from 'node:timers/promises';
import type { AmendsClient, Transaction } from '@amends/client';
import { terminalText } from '@amends/server/terminal-text';
import type { Print } from '../../examples/stage/tell.ts';

const endsWithinMs = 20_000;
const lookEveryMs = 200;

/** Unfinished transactions among the given services only; whatever calls anything else, or nobody, is the user's own. */
export async function leftovers(amends: AmendsClient, origins: ReadonlySet<string>): Promise<readonly Transaction[]> {
  // By gid: one that changes its status meanwhile is listed twice.
  const found = new Map<string, Transaction>();
  for (const status of ['submitted', 'aborting'] as const)
    for await (const { gid } of amends.listAll({ status })) {
      const transaction = await amends.get(gid);
      if (isAmong(transaction, origins)) found.set(gid, transaction);
    }
  return [...found.values()];
}

/** Whether it calls somebody, and only these; a step with an empty address calls nobody. */
function isAmong({ branches }: Transaction, origins: ReadonlySet<string>): boolean {
  const addresses = branches.flatMap(({ calls }) => calls.map(({ url }) => url)).filter((address) => address !== '');
  return addresses.length > 0 && addresses.every((address) => origins.has(URL.parse(address)?.origin ?? ''));
}

/**
 * Waits until each has ended, and says how. One that has not ended in time is terminated, because the services it
 * belongs to begin anew.
 */
export async function recover(amends: AmendsClient, unfinished: readonly Transaction[], print: Print): Promise<void> {
  print(`The last run left ${unfinished.length} unfinished; going on with the databases of that run:`);
  const deadline = performance.now() + endsWithinMs;
  await Promise.all(unfinished.map(({ gid }) => recoverOne(amends, gid, { deadline, print })));
}

async function recoverOne(
  amends: AmendsClient,
  gid: string,
  { deadline, print }: { deadline: number; print: Print },
): Promise<void> {
  for (;;) {
    const { outcome, reason } = await amends.get(gid);
    if (outcome !== 'running') return print(terminalText(`  ${gid} ${outcome}${reason === '' ? '' : `: ${reason}`}`));
    if (performance.now() > deadline) break;
    await setTimeout(lookEveryMs);
  }
  await amends.terminate(gid, { reason: 'npm start makes the example anew' });
  print(`  ${gid} had not ended after ${endsWithinMs / 1000} s and is terminated, because its example begins anew`);
}
