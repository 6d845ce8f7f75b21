/**
 * Participants over gRPC, with `@grpc/grpc-js` or a library of the same shape. The metadata of a call name the branch and the op,
 * as DTM's clients and coordinators write them.
 */
import { BadCall, type BranchRef, type Call, describeCall } from './call.ts';
import { shortenStatusText } from './grpc-status-text.ts';
import { BusinessFailure, logToConsole, NeedsAttention, Ongoing, type ParticipantOptions } from './verdict.ts';

/** The metadata of a call, as far as they are read. */
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

/** Does what a call asks. Its return value, or that of its promise, is the reply; `call.body` is the message. */
export type GrpcHandler<Request, Reply> = (call: Call<Request>) => Reply | Promise<Reply>;

/** Statuses of verdicts and of errors (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const statuses = { unknown: 2, invalidArgument: 3, failedPrecondition: 9, aborted: 10 } as const;

/**
 * A method for the calls of a coordinator, such as `server.addService(bank, { Debit: participant((call) => …) })`.
 * When the handler throws `BusinessFailure`, the status is ABORTED; with `Ongoing` it is FAILED_PRECONDITION, and with any other
 * error UNKNOWN. `NeedsAttention` also sets `amends-attention: needed` in the trailers.
 */
export function participant<Request, Reply>(
  handler: GrpcHandler<Request, Reply>,
  { onError = logToConsole }: ParticipantOptions = {},
): (call: GrpcCall<Request>, reply: GrpcReply<Reply>) => void {
  return ({ metadata, request }, reply) => {
    let call: Call<Request> | null = null;
    const handle = async () => {
      call = readGrpcCall(metadata, request);
      return handler(call);
    };
    handle().then(
      (made) => reply(null, made),
      (error: unknown) => {
        const status = statusOf(error, metadata);
        if (status.code === statuses.unknown) onError(error, call);
        reply(status);
      },
    );
  };
}

/**
 * The metadata of a call that an application makes itself, such as a step of a workflow. Add each entry to the call's own.
 * @param branch as the step gets it
 */
export function metadataOf({ gid, transType, branchId, op, answerWanted = false }: BranchRef): Readonly<Record<string, string>> {
  const branch = { 'dtm-gid': gid, 'dtm-trans_type': transType, 'dtm-branch_id': branchId, 'dtm-op': op };
  return answerWanted ? { ...branch, 'amends-answer': 'wanted' } : branch;
}

/** The error of a call, as its client gets it. */
export interface GrpcError {
  readonly code?: number;
  readonly details?: string;
  readonly metadata?: GrpcMetadata;
}

/** The verdict that the error of such a call stands for; an error that is no verdict is returned as it is. */
export function verdictIn(error: GrpcError): unknown {
  const { code, details = '', metadata } = error;
  if (metadata?.get('amends-attention').at(-1) === 'needed') return new NeedsAttention(details);
  if (code === statuses.failedPrecondition || (code === statuses.aborted && details === 'ONGOING')) return new Ongoing(details);
  return code === statuses.aborted ? new BusinessFailure(details) : error;
}

function readGrpcCall<Request>(metadata: GrpcMetadata, body: Request): Call<Request> {
  const header = (name: string) => metadata.get(name).at(-1)?.toString();
  const field = (name: string) => ({ name: `dtm-${name} in the metadata`, value: header(`dtm-${name}`) });
  return { ...describeCall({ field, header, target: 'this method' }), body };
}

/** The status of an error. @param metadata that of the call */
function statusOf(error: unknown, metadata: GrpcMetadata): { readonly code: number; readonly details: string } {
  const details = shortenStatusText(error instanceof Error ? error.message : String(error));
  if (error instanceof BusinessFailure) return { code: statuses.aborted, details };
  if (error instanceof Ongoing) return { code: statuses.failedPrecondition, details };
  if (error instanceof BadCall) return { code: statuses.invalidArgument, details };
  const unknown = { code: statuses.unknown, details };
  // The type of a reply names no trailers, so that those of every library fit it.
  return error instanceof NeedsAttention ? Object.assign(unknown, { metadata: attentionTrailers(metadata) }) : unknown;
}

/** Makes trailers of the class that the metadata of the call have. */
function attentionTrailers(metadata: GrpcMetadata): GrpcMetadata {
  const Trailers = metadata.constructor as new () => GrpcMetadata & { set?(name: string, value: string): void };
  const trailers = new Trailers();
  trailers.set?.('amends-attention', 'needed');
  return trailers;
}
