/** What may break a house rule, with its reason. The shorter this list, the better. */
import type { Exception } from './finding.ts';

export const exceptions: readonly Exception[] = [];
