/** Finding ports for services that may be killed and come back: not among those that the system lends to outgoing connections. */
import { createServer } from 'node:net';

const lowest = 20_000;
const highest = 32_000;
const triesMax = 100;

/** The error that listening on a port of this machine meets; null when it is free. */
export function portError(port: number): Promise<NodeJS.ErrnoException | null> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', resolve);
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}

/** The first of `count` free ports in a row. @throws Error when none can be found */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - count));
    const errors = await Promise.all(Array.from({ length: count }, (_, index) => portError(first + index)));
    if (errors.every((error) => error === null)) return first;
  }
  throw new Error(`no ${count} free ports in a row were found between ${lowest} and ${highest}`);
}
