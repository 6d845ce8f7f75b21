/** What DTM's API shows: transactions, and topics as key-value pairs. */
import type { Gid } from '@amends/core';
import {
  allBody,
  type DtmListRequest,
  type DtmResult,
  found,
  type KvPage,
  kvBody,
  kvPageBody,
  nothingFound,
  oneBody,
  queryBody,
  trouble,
} from '@amends/wire/dtm';
import type { DtmParts } from './operation.ts';

/** One transaction with its branches. @param gid null: none was named */
export async function showTransaction(gid: Gid | null, { records }: DtmParts): Promise<DtmResult> {
  if (gid === null) return trouble('no gid specified');
  const record = await records.find(gid);
  return found(record === null ? nothingFound : queryBody(record));
}

/** A page of transactions, or one by its gid. */
export async function showAll(asked: DtmListRequest, { coordinator, records }: DtmParts): Promise<DtmResult> {
  if (asked.kind === 'none') return found(allBody([], null));
  if (asked.kind === 'one') return found(oneBody(await records.find(asked.gid)));
  const { rows, next } = await coordinator.list(asked.page);
  return found(allBody(rows, next));
}

/** Topics by key, or all of them. @param asked null: a category without entries */
export async function showTopics(asked: { readonly key: string } | null, { topics }: DtmParts): Promise<DtmResult> {
  if (asked === null) return found(kvBody([]));
  if (asked.key === '') return found(kvBody(await topics.list()));
  const topic = await topics.get(asked.key);
  return found(kvBody(topic === null ? [] : [topic]));
}

/** A page of topics. @param page null: a category without entries */
export async function showPage(page: KvPage | null, { topics }: DtmParts): Promise<DtmResult> {
  return found(page === null ? kvPageBody([], { after: '', limit: 1 }) : kvPageBody(await topics.list(), page));
}
