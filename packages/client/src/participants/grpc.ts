/**
 * Participants over gRPC, by `@grpc/grpc-js` or whatever is shaped like it: who asks for what stands in the metadata, as DTM's
 * clients and coordinators have it.
 */
import { BadCall, type BranchRef, type Call, idCharactersMax, wordCharactersMax } from './call.ts';
import { statusText } from './grpc-status-text.ts';
import { BusinessFailure, logToConsole, NeedsAttention, Ongoing, type ParticipantOptions } from './verdict.ts';

/** What is needed of the metadata of a call. */
export interface GrpcMetadata {
  get(name: string): readonly (string | Uint8Array)[];
}

/** A unary call as it reaches a server. */
export interface GrpcCall<Request> {
  readonly metadata: GrpcMetadata;
  readonly request: Request;
}

/** How a unary call is answered. */
export type GrpcReply<Reply> = (error: { readonly code: number; readonly details: string } | null, reply?: Reply) => void;

/** Does what a call asks; what it returns, now or by a promise, is the reply. `call.body` is the message. */
export type GrpcHandler<Request, Reply> = (call: Call<Request>) => Reply | Promise<Reply>;

/**
 * Statuses that are verdicts to a coordinator, and those that are none
 * (https://grpc.github.io/grpc/core/md_doc_statuscodes.html).
 */
const statuses = { unknown: 2, invalidArgument: 3, failedPrecondition: 9, aborted: 10 } as const;

/**
 * A method for the calls of a coordinator, such as `server.addService(bank, { Debit: participant((call) => …) })`.
 * It returns: the reply; throws `BusinessFailure`: ABORTED; throws `Ongoing`: FAILED_PRECONDITION; throws anything else: UNKNOWN,
 * with `amends-attention: needed` in the trailers for `NeedsAttention`.
 */
export function participant<Request, Reply>(
  handler: GrpcHandler<Request, Reply>,
  { onError = logToConsole }: ParticipantOptions = {},
): (call: GrpcCall<Request>, reply: GrpcReply<Reply>) => void {
  return ({ metadata, request }, reply) => {
    let call: Call<Request> | null = null;
    const answer = async () => {
      call = callIn(metadata, request);
      return handler(call);
    };
    answer().then(
      (made) => reply(null, made),
      (error: unknown) => reply(statusOf(error, { metadata, tell: () => onError(error, call) })),
    );
  };
}

/**
 * The metadata of a call that an application makes itself, such as a step of a workflow: add each entry to that of the call.
 * @param branch as the step is given it
 */
export function metadataOf({ gid, transType, branchId, op, answerWanted = false }: BranchRef): Readonly<Record<string, string>> {
  const branch = { 'dtm-gid': gid, 'dtm-trans_type': transType, 'dtm-branch_id': branchId, 'dtm-op': op };
  return answerWanted ? { ...branch, 'amends-answer': 'wanted' } : branch;
}

/** An error of a call. */
export interface GrpcError {
  readonly code?: number;
  readonly details?: string;
  readonly metadata?: GrpcMetadata;
}

/** The verdict in the error of such a call; an error that is no verdict as it is. */
export function verdictIn(error: GrpcError): unknown {
  const { code, details = '', metadata } = error;
  if (metadata?.get('amends-attention').at(-1) === 'needed') return new NeedsAttention(details);
  if (code === statuses.failedPrecondition || (code === statuses.aborted && details === 'ONGOING')) return new Ongoing(details);
  return code === statuses.aborted ? new BusinessFailure(details) : error;
}

function callIn<Request>(metadata: GrpcMetadata, body: Request): Call<Request> {
  const epoch = numberIn(metadata, 'amends-epoch');
  const attempt = numberIn(metadata, 'amends-attempt');
  return {
    gid: entry(metadata, 'dtm-gid', idCharactersMax),
    transType: entry(metadata, 'dtm-trans_type', wordCharactersMax),
    branchId: entry(metadata, 'dtm-branch_id', idCharactersMax),
    op: entry(metadata, 'dtm-op', wordCharactersMax),
    body,
    ...(epoch === null ? {} : { epoch }),
    ...(attempt === null ? {} : { attempt }),
    ...(metadata.get('amends-answer').at(-1) === 'wanted' ? { answerWanted: true } : {}),
  };
}

function entry(metadata: GrpcMetadata, name: string, charactersMax: number): string {
  const value = String(metadata.get(name).at(-1) ?? '');
  if (value === '') throw new BadCall(`${name} is missing in the metadata: this method is for calls of a coordinator`);
  if (value.length > charactersMax) throw new BadCall(`${name} is longer than ${charactersMax} characters`);
  if (value !== value.trim()) throw new BadCall(`${name} begins or ends with white space`);
  return value;
}

function numberIn(metadata: GrpcMetadata, name: string): number | null {
  const text = String(metadata.get(name).at(-1) ?? '');
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

interface Around {
  /** Of the call. */
  readonly metadata: GrpcMetadata;
  readonly tell: () => void;
}

function statusOf(error: unknown, { metadata, tell }: Around): { readonly code: number; readonly details: string } {
  const details = statusText(error instanceof Error ? error.message : String(error));
  if (error instanceof BusinessFailure) return { code: statuses.aborted, details };
  if (error instanceof Ongoing) return { code: statuses.failedPrecondition, details };
  if (error instanceof BadCall) return { code: statuses.invalidArgument, details };
  tell();
  const unknown = { code: statuses.unknown, details };
  // The type of a reply names no trailers, so that those of every library fit it.
  return error instanceof NeedsAttention ? Object.assign(unknown, { metadata: attentionNeeded(metadata) }) : unknown;
}

/** Trailers, of the class of the metadata that came. */
function attentionNeeded(metadata: GrpcMetadata): GrpcMetadata {
  const Trailers = metadata.constructor as new () => GrpcMetadata & { set?(name: string, value: string): void };
  const trailers = new Trailers();
  trailers.set?.('amends-attention', 'needed');
  return trailers;
}
