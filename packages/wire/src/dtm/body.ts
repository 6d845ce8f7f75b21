/** A request of DTM's as every protocol hands it over, before an operation parses it. */
import type { Gid } from '@amends/core';
import { readObject, readText } from '../input/json-values.ts';
import { parseDtmGid } from './gid.ts';
import { parameter, type Query } from './parameters.ts';

/** What a request carries. */
export interface DtmBody {
  /** The JSON body, the parameters of the query and the path, or the same fields out of a message. */
  readonly fields: unknown;
  /** Payloads that came as bytes beside the fields; left out: they are texts among them. */
  readonly payloads?: readonly Uint8Array[];
}

/** The fields as parameters. */
export function queryIn({ fields }: DtmBody): Query {
  return fields as Query;
}

/** The gid in a JSON body that names a transaction to act on. @throws AmendsError `invalid_request` naming the field */
export function parseGidBody({ fields }: DtmBody): Gid {
  return parseDtmGid(readText('gid', readObject('body', fields)['gid'] ?? ''));
}

/** The gid in a query; null: none is given. @throws AmendsError `invalid_request` naming the field */
export function parseGidQuery(body: DtmBody): Gid | null {
  const gid = parameter(queryIn(body), 'gid');
  return gid === '' ? null : parseDtmGid(gid);
}
