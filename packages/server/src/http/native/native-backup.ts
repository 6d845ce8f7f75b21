/**
 * A copy of the store by the native API. The file is made beside the store, where there is room for it, and has no name while it
 * is sent.
 */
import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { AmendsError } from '@amends/core';
import type { StoreCopy } from '../../stores/open-store.ts';
import type { NativeHandler } from './native-answer.ts';

/** Answers with the whole file; one at a time, because each takes the room of the store. */
export function backupHandler(store: StoreCopy | null): NativeHandler {
  let underWay = false;
  return async (_request, reply) => {
    if (store === null) throw new AmendsError('not_implemented', 'this store cannot be copied; one with --store sqlite:PATH can');
    if (underWay) throw new AmendsError('conflict', 'a backup is under way; try again when it is over');
    underWay = true;
    const over = () => {
      underWay = false;
    };
    try {
      const { size, content } = await copyStore(store);
      reply.header('content-type', 'application/vnd.sqlite3').header('content-length', size);
      return { status: 200, body: content.once('close', over) };
    } catch (error) {
      over();
      throw error;
    }
  };
}

async function copyStore({ path, backUp }: StoreCopy) {
  const file = `${path}-backup-${randomUUID()}`;
  await backUp(file);
  try {
    const copy = await open(file, 'r');
    return { size: (await copy.stat()).size, content: copy.createReadStream() };
  } finally {
    await rm(file);
  }
}
