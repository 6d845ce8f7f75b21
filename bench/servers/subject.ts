/** Who is measured. */
import type { JobKind } from '../load/jobs.ts';
import type { BranchUrls } from '../load/saga-request.ts';

/** A server under load. */
export interface Subject {
  readonly name: string;
  readonly url: string;
  /** Its process; null: unknown, so its cost is not measured. */
  readonly pid: number | null;
  readonly branchUrls: BranchUrls;
  /** What is asked of it. Default: saga. */
  readonly kind?: JobKind;
  /** Where that is asked, if not at `url`, which has its metrics. */
  readonly loadUrl?: string;
}
