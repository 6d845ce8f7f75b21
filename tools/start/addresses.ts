/** Where the services of an example listen: kept in a file that shells, `node --env-file` and the next start can read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Example } from '../../examples/stage/example.ts';

/** The file with the addresses of an example's services. */
export function addressFile(dataFolder: string, { name }: Example): string {
  return join(dataFolder, `${name}.env`);
}

/** Writes the file, one variable per service: `export BANK_A=http://127.0.0.1:40123`. */
export function writeAddresses(file: string, url: Readonly<Record<string, string>>): void {
  writeFileSync(
    file,
    Object.entries(url)
      .map(([service, address]) => `export ${variableOf(service)}=${address}\n`)
      .join(''),
  );
}

/** The addresses of the last start, by service; without those that the file does not tell. */
export function readAddresses(file: string, { services }: Example): Readonly<Record<string, string>> {
  const variables = parseEnv(contentOf(file));
  const known = Object.keys(services).map((service) => [service, variables[variableOf(service)] ?? ''] as const);
  return Object.fromEntries(known.filter(([, address]) => URL.canParse(address)));
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function variableOf(service: string): string {
  return service.toUpperCase().replaceAll('-', '_');
}
