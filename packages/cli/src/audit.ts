/** `amends tx audit`: what was done by hand, and why. */
import type { AmendsClient, AuditEntry } from '@amends/client';
import { forTerminal } from '@amends/server/terminal-text';
import type { ServerOptions } from './server-options.ts';
import { cut, print, printJson, table } from './terminal.ts';

/** What to show. */
export interface AuditOptions extends ServerOptions {
  readonly limit: number;
}

/** Prints the newest rows, of one transaction or of all. */
export async function showAudit(client: AmendsClient, gid: string | undefined, { limit, json }: AuditOptions): Promise<void> {
  const rows = await newest(client, gid, limit);
  if (json) return printJson(rows);
  if (rows.length === 0) return print('nothing was done by hand');
  const cells = forTerminal(rows).map(({ at, actor, verb, gid: about, detail, reason }) => [
    at.replace('T', ' ').replace('Z', ''),
    actor,
    verb,
    cut(about ?? JSON.stringify(detail)),
    reason,
  ]);
  for (const line of table([['at (UTC)', 'who', 'what', 'of', 'why'], ...cells])) print(line);
}

async function newest(client: AmendsClient, gid: string | undefined, limit: number): Promise<readonly AuditEntry[]> {
  const filters = { limit: Math.min(limit, 1_000), ...(gid === undefined ? {} : { gid }) };
  let page = await client.audit(filters);
  const rows = [...page.entries];
  while (page.next !== null && rows.length < limit) {
    page = await client.audit({ ...filters, cursor: page.next });
    rows.push(...page.entries);
  }
  return rows.slice(0, limit);
}
