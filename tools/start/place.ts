/** What must hold before anything is started: a folder that can be written, ports that are free. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { portError } from '../../examples/stage/ports.ts';

/** Something that the user must change; the message says what. */
export class PlaceError extends Error {}

/** Makes the folder, and refuses one that cannot be written. @throws PlaceError */
export function checkFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PlaceError(
      `cannot write to ${folder} (${why}). Give yourself write permission on it, or choose another folder: npm start -- --data FOLDER`,
    );
  }
}

/** Refuses ports on which somebody listens. @param ports who wants which @throws PlaceError */
export async function checkPorts(ports: ReadonlyMap<number, string>): Promise<void> {
  await Promise.all([...ports].map(([port, name]) => checkPort(port, name)));
}

async function checkPort(port: number, name: string): Promise<void> {
  const error = await portError(port);
  if (error === null) return;
  const why = error.code === 'EADDRINUSE' ? 'is taken by another program; perhaps Amends runs already' : error.message;
  throw new PlaceError(`port ${port}, for ${name}: ${why}. End what uses it, or choose other ports: npm start -- --port PORT`);
}
