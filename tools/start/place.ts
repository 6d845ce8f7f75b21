/** What must hold before anything is started: a folder that can be written, ports that are free. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';

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

function checkPort(port: number, name: string): Promise<void> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken by another program; perhaps Amends runs already' : error.message;
      reject(
        new PlaceError(`port ${port}, for ${name}: ${why}. End what uses it, or choose other ports: npm start -- --port PORT`),
      );
    });
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve()));
  });
}
