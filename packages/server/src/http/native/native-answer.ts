/** What handlers of the native API share. */
import type { Coordinator, TransactionView } from '@amends/coordinator';
import { AmendsError, type Gid, parseGid } from '@amends/core';
import { transactionBody } from '@amends/wire/native';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { watchCaller } from '../caller.ts';

/** Status and JSON body. */
export interface NativeAnswer {
  readonly status: number;
  readonly body: object;
}

/** Answers one request; errors are thrown as `AmendsError`. */
export type NativeHandler = (request: FastifyRequest, reply: FastifyReply) => NativeAnswer | Promise<NativeAnswer>;

/** The gid of the path. @throws AmendsError `invalid_request` naming `gid` */
export function readGid({ params }: FastifyRequest): Gid {
  return parseGid((params as { gid: string }).gid);
}

interface Patience {
  readonly waitMs: number;
  readonly reply: FastifyReply;
}

/** As soon as it is at rest, or as it is when the time is over or the caller has gone. */
export function viewWithin(coordinator: Coordinator, gid: Gid, { waitMs, reply }: Patience): Promise<TransactionView | null> {
  return waitMs === 0 ? coordinator.get(gid) : coordinator.wait(gid, { waitMs, signal: watchCaller(reply) });
}

/** What must be there. @throws AmendsError `not_found` */
export function mustExist(gid: Gid, view: TransactionView | null): TransactionView {
  if (view === null) throw new AmendsError('not_found', `there is no transaction with the gid ${JSON.stringify(gid)}`);
  return view;
}

/** The transaction as it is. */
export function ok(view: TransactionView): NativeAnswer {
  return { status: 200, body: transactionBody(view) };
}
