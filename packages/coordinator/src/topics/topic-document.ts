/** A topic as one document of the store. A topic that is deleted stays as a document without subscribers. */
import { AmendsError, type EpochMs, epochMs, type Subscription, type Topic } from '@amends/core';
import type { StoredDocument } from '@amends/store';

export const topicKind = 'topic';

/** What a document holds: JSON. */
interface Content {
  readonly subscribers: readonly Subscription[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted?: true;
}

/** The content after a change. @param subscribers null: the topic is deleted @throws AmendsError `store_refused` */
export function contentOf(found: StoredDocument | null, subscribers: readonly Subscription[] | null, at: EpochMs): string {
  if (subscribers === null)
    return JSON.stringify({ subscribers: [], createdAt: at, updatedAt: at, deleted: true } satisfies Content);
  const before = found === null ? null : contentIn(found);
  const createdAt = before === null || before.deleted === true ? at : before.createdAt;
  return JSON.stringify({ subscribers, createdAt, updatedAt: at } satisfies Content);
}

/** The topic of a document; null: there is none, or it is deleted. @throws AmendsError `store_refused` */
export function readTopic(found: StoredDocument | null): Topic | null {
  if (found === null) return null;
  const { subscribers, createdAt, updatedAt, deleted } = contentIn(found);
  if (deleted === true) return null;
  const times = { createdAt: epochMs(createdAt), updatedAt: epochMs(updatedAt) };
  return { name: found.key, version: found.version, subscribers, ...times };
}

/** Whether there is something to delete. A document that cannot be read counts: deleting it is the remedy. */
export function isThere(found: StoredDocument | null): boolean {
  return found !== null && (parse(found.content) as Partial<Content> | null)?.deleted !== true;
}

function contentIn({ key, content }: StoredDocument): Content {
  const read = parse(content);
  if (isContent(read)) return read;
  throw new AmendsError(
    'store_refused',
    `what is stored of the topic ${JSON.stringify(key)} cannot be read; restore a backup, or delete the topic and subscribe to it again`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isContent(read: unknown): read is Content {
  const { subscribers, createdAt, updatedAt } = (read ?? {}) as Partial<Record<keyof Content, unknown>>;
  const areNumbers = typeof createdAt === 'number' && typeof updatedAt === 'number';
  return areNumbers && Array.isArray(subscribers) && subscribers.every(isSubscription);
}

function isSubscription(read: unknown): boolean {
  const { url, remark } = (read ?? {}) as Partial<Record<keyof Subscription, unknown>>;
  return typeof url === 'string' && typeof remark === 'string';
}
