/** The few of Amends' metrics that the bench reads. */

/** What the server has counted since its start. */
export interface ServerCounts {
  /** Commits, each of a batch of changes. */
  readonly batches: number;
  readonly changes: number;
  /** Transactions that have succeeded. */
  readonly succeeded: number;
}

/** Reads the metrics of the server at `url`; null where there are none such. */
export async function readCounts(url: string): Promise<ServerCounts | null> {
  const response = await fetch(`${url}/api/metrics`);
  const page = await response.text();
  if (!response.ok || !page.includes('amends_store_commit_changes_count')) return null;
  return {
    batches: sumOf(page, 'amends_store_commit_changes_count'),
    changes: sumOf(page, 'amends_store_commit_changes_sum'),
    succeeded: sumOf(page, 'amends_transactions_ended_total', 'status="succeed"'),
  };
}

/** @param label part of the labels of the samples that count */
function sumOf(page: string, name: string, label = ''): number {
  const samples = page.matchAll(new RegExp(`^${name}(?:\\{[^}]*${label}[^}]*\\})? (\\S+)`, 'gm'));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}
