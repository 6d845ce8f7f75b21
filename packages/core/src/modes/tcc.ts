/**
 * TCC: the application tries each participant itself and registers it before it does; then all are confirmed, or all are
 * cancelled, in the reverse order of registration.
 *
 *   prepared ──submitted──▶ submitted ──all confirmed──▶ succeed
 *       │
 *       └─aborted │ time is up──▶ aborting ──all cancelled──▶ failed
 *   prepared, submitted, aborting ──terminated by a human──▶ failed
 *
 * Invariants, cited by tests, beside those of `second-phase.ts`:
 * TCC-1: Branches are called in the reverse order of registration, the last registered first.
 */

import type { TccSpec } from '../request/spec.ts';
import { secondPhase } from './second-phase.ts';

/** The mode. */
export const tcc = secondPhase<TccSpec>({ ops: { forward: 'confirm', backward: 'cancel' }, lastFirst: true });
