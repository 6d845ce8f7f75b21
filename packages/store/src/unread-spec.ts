/** What a store gives for a transaction whose spec it cannot read, so that the transaction is seen all the same. */
import type { StoredSpec } from '@amends/core';

/** In place of a spec that is not there or is damaged, or of which what was recorded beside is. No spec has this format. */
export const unreadSpec: StoredSpec = Object.freeze({
  format: 0,
  plan: '',
  presentation: '',
  payloads: new Uint8Array(),
  digest: '',
});
