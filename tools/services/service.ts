/**
 * Databases for tests: `const url = await service('postgres')`, or a suite that is skipped, with the reason, where there is none.
 */
import { describe, inject, it } from 'vitest';
import { type Available, ServiceMissing, type ServiceName } from './kinds.ts';
import './global-setup.ts';

/**
 * The address of a service. It is started when it is first asked for, is shared by all test files of a run, and goes with
 * it: use databases and keys of your own.
 * @throws ServiceMissing saying how to get it
 */
export async function service(name: ServiceName): Promise<string> {
  const available = await ask(name);
  if ('missing' in available) throw new ServiceMissing(available.missing);
  return available.url;
}

/**
 * A suite that needs a service, to be awaited at the top of a test file. Where the service is missing there is one skipped
 * test with the reason; with CI=true it fails, but for MongoDB, which only is where somebody names a server.
 */
export async function describeWith(name: ServiceName, title: string, suite: (url: string) => void): Promise<void> {
  const available = await ask(name);
  if ('url' in available) return void describe(title, () => suite(available.url));
  describe(title, () => {
    it(`needs ${name}`, ({ skip }) => {
      if (process.env['CI'] === 'true' && name !== 'mongodb') throw new ServiceMissing(available.missing);
      skip(available.missing);
    });
  });
}

async function ask(name: ServiceName): Promise<Available> {
  if (name === 'mongodb') return mongodb();
  const answer = await fetch(`${inject('servicesAt')}/${name}`);
  const { answer: available, error } = (await answer.json()) as { readonly answer?: Available; readonly error?: string };
  if (available === undefined) throw new Error(`${name} does not start: ${error}`);
  return available;
}

function mongodb(): Available {
  const url = process.env['AMENDS_TEST_MONGODB_URL'] ?? '';
  return url === '' ? { missing: 'no MongoDB: name a replica set in AMENDS_TEST_MONGODB_URL' } : { url };
}
