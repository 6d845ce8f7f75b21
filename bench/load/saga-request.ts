/** The saga that most scenarios are about: DTM's, its branches one after the other, waiting for its result. */
import { randomFillSync } from 'node:crypto';
import { epochMs, gidRandomBytes, makeGid } from '@amends/core';

/** How a client makes its gids: by Amends' rule, which is ordered by time, or without any order, as a UUID is. */
export type GidOrder = 'time' | 'none';

/** What the saga's branches call, one after the other; empty texts: nothing. */
export type BranchUrls = readonly string[];

/** Two branches that call nobody. */
export const nobody: BranchUrls = ['', ''];

/** The payload of each branch. */
export const branchPayload = '{"account":"bench","cents":30}';

/** DTM's JSON of such a saga. */
export function sagaBody(gid: string, urls: BranchUrls): object {
  return {
    gid,
    trans_type: 'saga',
    steps: urls.map((url) => ({ action: url, compensate: url })),
    payloads: urls.map(() => branchPayload),
    wait_result: true,
  };
}

/** Makes a maker of gids of 22 characters. */
export function gidMaker(order: GidOrder): () => string {
  const pool = new Uint8Array(256 * gidRandomBytes);
  let used = pool.length;
  const random = () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += gidRandomBytes;
    return pool.subarray(used - gidRandomBytes, used);
  };
  return () => {
    const gid: string = makeGid(epochMs(Date.now()), random);
    return order === 'time' ? gid : gid.slice(5) + gid.slice(0, 5);
  };
}
