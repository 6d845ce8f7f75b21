/**
 * TCC: the application tries each participant itself and registers it before it does; then all are confirmed, or all are
 * cancelled, in the reverse order of registration.
 *
 *   prepared ──submitted──▶ submitted ──all confirmed──▶ succeed
 *       │
 *       └─aborted │ time is up──▶ aborting ──all cancelled──▶ failed
 *   prepared, submitted, aborting ──terminated by a human──▶ failed
 *
 * Invariants, cited by tests:
 * T1  Branches join only while the transaction is prepared; the same branch again must say the same.
 * T2  The decision is made once, by submit, abort or time-out, and precedes every confirm and cancel.
 * T3  A branch is confirmed only after submit, cancelled only after the decision to roll back; never both.
 * T4  Every registered branch is confirmed, or every one is cancelled, also one whose try may never have come.
 * T5  Branches are called one after the other, the last registered first; the next only when the one before it agreed.
 * T6  A confirm or cancel is tried until it succeeds, or held when its policy ends; a refusal is no verdict.
 */

import type { TccSpec } from '../request/spec.ts';
import { secondPhase } from './second-phase.ts';

/** The mode. */
export const tcc = secondPhase<TccSpec>({ ops: { forward: 'confirm', backward: 'cancel' }, lastFirst: true });
