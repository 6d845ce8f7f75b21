/**
 * XA: participants have prepared a local XA transaction each and registered it; then all are committed, or all are rolled
 * back, in the order of registration.
 *
 *   prepared ──submitted──▶ submitted ──all committed──▶ succeed
 *       │
 *       └─aborted │ time is up──▶ aborting ──all rolled back──▶ failed
 *   prepared, submitted, aborting ──terminated by a human──▶ failed
 *
 * Invariants, cited by tests, beside those of `second-phase.ts`:
 * XA-1: Branches are called in the order of registration, the first registered first.
 */

import type { XaSpec } from '../request/spec.ts';
import { secondPhase } from './second-phase.ts';

/** The mode. */
export const xa = secondPhase<XaSpec>({ ops: { forward: 'commit', backward: 'rollback' }, lastFirst: false });
