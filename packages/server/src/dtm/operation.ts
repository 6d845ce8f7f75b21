/** An operation of DTM's: what it asks of its caller, how its request is read, and what it does. */
import type { Coordinator, Topics, WaitSignal } from '@amends/coordinator';
import type { Trace } from '@amends/core';
import type { Permission } from '@amends/wire';
import type { DtmBody, DtmDefaults, DtmResult } from '@amends/wire/dtm';
import type { DtmRecords } from './dtm-records.ts';

/** A request, whichever protocol it came by. */
export interface DtmRequest {
  /** What it carries. @throws AmendsError when it cannot be read */
  body(): DtmBody;
  trace(): Trace | null;
  /** Who acts. @throws AmendsError `invalid_request` when the name is too long */
  actor(): string;
  /** Tells when the caller no longer waits. */
  readonly caller: WaitSignal;
}

/** What operations work on. */
export interface DtmParts {
  readonly coordinator: Coordinator;
  readonly topics: Topics;
  readonly records: DtmRecords;
  readonly defaults: DtmDefaults;
}

export interface DtmOperationEntry {
  readonly permission: Permission;
  /** Carries it out. @throws AmendsError */
  carryOut(request: DtmRequest, parts: DtmParts): DtmResult | Promise<DtmResult>;
}

/** An operation in its three parts. */
interface Definition<Asked> {
  readonly permission: Permission;
  /** @throws AmendsError `invalid_request` naming the field */
  parse(request: DtmRequest, parts: DtmParts): Asked;
  /** @throws AmendsError */
  perform(asked: Asked, parts: DtmParts, request: DtmRequest): DtmResult | Promise<DtmResult>;
}

/** Makes an entry of the table. */
export function operation<Asked>({ permission, parse, perform }: Definition<Asked>): DtmOperationEntry {
  return { permission, carryOut: (request, parts) => perform(parse(request, parts), parts, request) };
}
