/** How each service is started from its programs: on a free port of the loopback, in a folder that goes with it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Running, Startable } from './kinds.ts';
import { programOf } from './packages.ts';
import { freePort, makeFolder, runUnprivileged, startDaemon } from './process.ts';

interface Place {
  readonly folder: string;
  readonly port: number;
}

/** Starts the programs in their place. @returns what ends them */
type Recipe = (place: Place) => Promise<() => Promise<void>>;

/** Starts a service. @throws ServiceMissing when its programs are not installed */
export async function startFromPrograms(name: Startable): Promise<Running> {
  const folder = makeFolder(name);
  const port = await freePort();
  try {
    const end = await recipes[name]({ folder: folder.path, port });
    const stop = async () => {
      await end();
      folder.remove();
    };
    return { url: urlOf(name, port), stop };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/** The address of a service that listens on the loopback. */
export function urlOf(name: Startable, port: number): string {
  switch (name) {
    case 'postgres':
      return `postgres://amends@127.0.0.1:${port}/amends`;
    case 'mariadb':
      return `mysql://root@127.0.0.1:${port}/amends`;
    case 'redis':
      return `redis://127.0.0.1:${port}`;
  }
}

const recipes: Readonly<Record<Startable, Recipe>> = { postgres, mariadb, redis };

/** Nothing outlives the run, so nothing needs to be forced to the disk. */
async function postgres({ folder, port }: Place): Promise<() => Promise<void>> {
  const files = join(folder, 'data');
  const initdb = ['-D', files, '-U', 'amends', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
  await runUnprivileged(programOf('postgres', 'initdb'), initdb, folder);
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: folder, max_prepared_transactions: 64 };
  const given = Object.entries({ ...settings, fsync: 'off', max_connections: 200 }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ]);
  const program = programOf('postgres', 'postgres');
  const ready = /ready to accept connections/;
  const end = await startDaemon({ program, args: ['-D', files, ...given], cwd: folder, ready, endBy: 'SIGQUIT' });
  await runUnprivileged(programOf('postgres', 'createdb'), ['-h', folder, '-p', `${port}`, '-U', 'amends', 'amends'], folder);
  return end;
}

async function mariadb({ folder, port }: Place): Promise<() => Promise<void>> {
  const common = ['--no-defaults', `--datadir=${join(folder, 'data')}`];
  const fresh = [...common, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await runUnprivileged(programOf('mariadb', 'mariadb-install-db'), fresh, folder);
  const network = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 'socket')}`, '--skip-name-resolve'];
  const light = ['--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=64M', '--max-connections=200'];
  const program = programOf('mariadb', 'mariadbd');
  const args = [...common, ...network, ...light, `--pid-file=${join(folder, 'pid')}`, `--init-file=${initFile(folder)}`];
  return startDaemon({ program, args, cwd: folder, ready: /ready for connections/, endBy: 'SIGKILL' });
}

/** Statements that the server runs when it starts. */
function initFile(folder: string): string {
  const path = join(folder, 'init.sql');
  writeFileSync(path, 'CREATE DATABASE IF NOT EXISTS amends;\n');
  return path;
}

async function redis({ folder, port }: Place): Promise<() => Promise<void>> {
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const program = programOf('redis', 'redis-server');
  return startDaemon({ program, args, cwd: folder, ready: /Ready to accept connections/, endBy: 'SIGKILL' });
}
