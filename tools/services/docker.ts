/** The services from Docker Compose. */
import { join } from 'node:path';
import type { Running, Startable } from './kinds.ts';
import { run } from './process.ts';
import { urlOf } from './recipes.ts';

const file = join(import.meta.dirname, 'compose.yaml');
const containerPort: Readonly<Record<Startable, string>> = { postgres: '5432', mariadb: '3306', redis: '6379' };

/** Whether Docker and its Compose answer. */
export async function dockerRuns(): Promise<boolean> {
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}']);
    await run('docker', ['compose', 'version']);
    return true;
  } catch {
    return false;
  }
}

/** Starts a service under a project name of its own. */
export async function startFromDocker(name: Startable): Promise<Running> {
  const compose = (...args: string[]) =>
    run('docker', ['compose', '-f', file, '-p', `amends-test-${name}-${process.pid}`, ...args]);
  const stop = async () => void (await compose('down', '-v', '--timeout', '1'));
  try {
    await compose('up', '-d', '--wait', name);
    const address = await compose('port', name, containerPort[name]);
    return { url: urlOf(name, Number(address.trim().split(':').at(-1))), stop };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}
