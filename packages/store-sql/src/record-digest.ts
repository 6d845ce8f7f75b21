/**
 * What tells a record that was altered or damaged: payloads of registered branches and kept answers are sent on as they are read.
 */

import { hash } from 'node:crypto';
import type { StoredRecord } from '@amends/core';

/** SHA-256 over kind, key and content, 64 hex digits. */
export function recordDigest({ kind, key, content }: StoredRecord): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${kind}\0${key}\0`), content]), 'hex');
}
