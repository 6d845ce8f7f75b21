/** The services of one run: each is started when it is first asked for, once, and all are stopped together. */
import { dockerRuns, startFromDocker } from './docker.ts';
import { type Available, type Running, ServiceMissing, type Startable } from './kinds.ts';
import { install, isInstalled } from './packages.ts';
import { startFromPrograms } from './recipes.ts';

/** Services that are started on demand. */
export interface Services {
  /** Starts it, or gives what runs already. @throws Error when it is there but does not start */
  get(name: Startable): Promise<Available>;
  /** Stops all, also those that are just being started, and removes what they have stored. Idempotent. */
  stop(): Promise<void>;
}

/** Services, none of which runs yet. @param installs true: what is missing is installed where that is possible */
export function createServices({ installs }: { readonly installs: boolean }): Services {
  const started = new Map<Startable, Promise<Running>>();
  let stopping = false;
  let docker: Promise<boolean> | null = null;
  let installing: Promise<void> = Promise.resolve();

  async function start(name: Startable): Promise<Running> {
    docker ??= dockerRuns();
    if (await docker) {
      try {
        return await startFromDocker(name);
      } catch (error) {
        if (!isInstalled(name)) throw new ServiceMissing(`${name} does not come from Docker: ${String(error)}`);
      }
    }
    if (installs) {
      // One at a time: apt-get holds a lock.
      installing = installing.catch(() => {}).then(() => install([name]));
      await installing;
    }
    return startFromPrograms(name);
  }

  return {
    async get(name) {
      if (stopping) throw new Error('the services are being stopped');
      const running = started.get(name) ?? start(name);
      started.set(name, running);
      try {
        return { url: (await running).url };
      } catch (error) {
        if (error instanceof ServiceMissing) return { missing: error.message };
        throw error;
      }
    },
    async stop() {
      stopping = true;
      const all = await Promise.allSettled(started.values());
      started.clear();
      await Promise.all(all.map((each) => (each.status === 'fulfilled' ? each.value.stop() : undefined)));
    },
  };
}
