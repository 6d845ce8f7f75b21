/** The Debian packages that the services come from. */
import { accessSync, constants, existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceMissing, type Startable } from './kinds.ts';
import { run } from './process.ts';

const packages: Readonly<Record<Startable, string>> = {
  postgres: 'postgresql',
  mariadb: 'mariadb-server',
  redis: 'redis-server',
};

const programs: Readonly<Record<Startable, readonly string[]>> = {
  postgres: ['postgres', 'initdb'],
  mariadb: ['mariadbd', 'mariadb-install-db'],
  redis: ['redis-server'],
};

const folders = () => [
  ...(process.env['PATH'] ?? '').split(':'),
  '/usr/sbin',
  '/usr/local/sbin',
  // Debian keeps Postgres's programs out of the path, one folder for each version; the newest first.
  ...globSync('/usr/lib/postgresql/*/bin').sort(byVersion).reverse(),
];

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Where a program is; null: nowhere. */
export function findProgram(name: string): string | null {
  return (
    folders()
      .map((folder) => join(folder, name))
      .find(isExecutable) ?? null
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a program of an installed service is. @throws ServiceMissing */
export function programOf(service: Startable, name: string): string {
  const path = findProgram(name);
  if (path === null) throw new ServiceMissing(howToGet(service));
  return path;
}

/** Whether the programs of a service are there. */
export function isInstalled(service: Startable): boolean {
  return programs[service].every((name) => findProgram(name) !== null);
}

function howToGet(service: Startable): string {
  return `${service} is not installed: start Docker (with Compose), or run npx node tools/services/main.ts --install-only ${service} (Debian, as root)`;
}

/** Installs from Debian what is missing; the system's own services are not started. @throws ServiceMissing when that cannot be */
export async function install(services: readonly Startable[]): Promise<void> {
  const missing = services.filter((service) => !isInstalled(service));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || findProgram('apt-get') === null) throw new ServiceMissing(howToGet(missing[0]!));
  process.stderr.write(`services: installing ${missing.join(', ')} …\n`);
  const names = missing.map((service) => packages[service]);
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  await withoutStarting(async () => {
    await run('apt-get', ['update', '-qq'], quiet);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], quiet);
  });
}

const policy = '/usr/sbin/policy-rc.d';

/** Debian asks this file before a package starts its service; 101 forbids it. */
async function withoutStarting(work: () => Promise<void>): Promise<void> {
  if (existsSync(policy)) return work();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    rmSync(policy, { force: true });
  }
}
