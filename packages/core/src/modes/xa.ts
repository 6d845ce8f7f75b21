/**
 * XA: participants have prepared a local XA transaction each and registered it; then all are committed, or all are rolled
 * back, in the order of registration.
 *
 *   prepared ──submitted──▶ submitted ──all committed──▶ succeed
 *       │
 *       └─aborted │ time is up──▶ aborting ──all rolled back──▶ failed
 *   prepared, submitted, aborting ──terminated by a human──▶ failed
 *
 * Invariants, cited by tests:
 * X1  Branches join only while the transaction is prepared; the same branch again must say the same. A participant whose
 *     registration is refused rolls its local transaction back.
 * X2  The decision is made once, by submit, abort or time-out, and precedes every commit and rollback.
 * X3  A branch is committed only after submit, rolled back only after the decision to roll back; never both.
 * X4  Every registered branch is committed, or every one is rolled back, one after the other, the first registered first.
 * X5  A commit or rollback is tried until it succeeds, or held when its policy ends; a refusal is no verdict.
 */

import type { XaSpec } from '../request/spec.ts';
import { secondPhase } from './second-phase.ts';

/** The mode. */
export const xa = secondPhase<XaSpec>({ ops: { forward: 'commit', backward: 'rollback' }, lastFirst: false });
