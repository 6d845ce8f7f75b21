/** An application: lives the life of one global transaction, of whichever mode. */
import type { Gid } from '@amends/core';
import { Client, type Surroundings } from './client.ts';
import { runMessage } from './msg-application.ts';
import { SagaApplication } from './saga-application.ts';
import { runTwoPhases } from './two-phase-application.ts';
import { runWorkflow } from './workflow-application.ts';

/** Draws a mode and lives it. Resolves when the application wants nothing more. */
export async function runApplication(gid: Gid, around: Surroundings, startsWithinMs: number): Promise<void> {
  const chance = around.world.chance.stream(`mode of ${gid}`);
  const mode = chance.pickWeighted({ saga: 5, msg: 2, tcc: 2, xa: 1, workflow: 2 });
  if (mode === 'saga') return new SagaApplication(gid, around).run(startsWithinMs);
  const client = new Client(gid, around, chance);
  await client.pause(0, startsWithinMs);
  switch (mode) {
    case 'msg':
      return runMessage(client);
    case 'workflow':
      return runWorkflow(client);
    default:
      return runTwoPhases(client, mode);
  }
}
