/** Messages of the gRPC protocol as bytes and back. Names and namespaces are not on the wire; numbers and types are. */
import type protobuf from 'protobufjs';
import { protoReader, protoRoot } from './proto.ts';

/** How a message becomes bytes, and bytes a message. */
export interface Codec<M> {
  encode(message: M): Buffer;
  /** Every field is there, with its default where the bytes do not say. @throws Error when they are no such message */
  decode(bytes: Uint8Array): M;
}

const shape = { longs: Number, enums: Number, defaults: true, arrays: true, objects: true } as const;

function codec<M extends object>(name: string): Codec<M> {
  let found: protobuf.Type | null = null;
  const type = () => {
    found ??= protoRoot().lookupType(name);
    return found;
  };
  return {
    encode: (message) => Buffer.from(type().encode(type().fromObject(message)).finish()),
    decode: (bytes) => type().toObject(type().decode(strictReader(bytes)), shape) as M,
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The library cuts a text that claims more bytes than there are, and replaces what is not UTF-8: both are mistakes, or attacks.
 */
function strictReader(bytes: Uint8Array): protobuf.Reader {
  const reader = protoReader(bytes);
  reader.string = () => {
    const text = reader.bytes();
    try {
      return utf8.decode(text);
    } catch (cause) {
      throw new Error(`the text before byte ${reader.pos} is not UTF-8`, { cause });
    }
  };
  return reader;
}

/** Options of a transaction; times in seconds. */
export interface GrpcOptions {
  readonly WaitResult: boolean;
  readonly TimeoutToFail: number;
  readonly RetryInterval: number;
  readonly BranchHeaders: Readonly<Record<string, string>>;
  readonly RequestTimeout: number;
  readonly RetryLimit: number;
}

/** A transaction as gRPC clients send it. */
export interface GrpcTransaction {
  readonly Gid: string;
  readonly TransType: string;
  readonly TransOptions: GrpcOptions | null;
  readonly CustomedData: string;
  readonly BinPayloads: readonly Uint8Array[];
  readonly QueryPrepared: string;
  /** JSON text. */
  readonly Steps: string;
  readonly ReqExtra: Readonly<Record<string, string>>;
  readonly RollbackReason: string;
}

/** A registration as gRPC clients send it. */
export interface GrpcBranch {
  readonly Gid: string;
  readonly TransType: string;
  readonly BranchID: string;
  readonly Op: string;
  readonly Data: Readonly<Record<string, string>>;
  readonly BusiPayload: Uint8Array;
}

/** What a workflow's function must know. */
export interface GrpcProgresses {
  readonly Transaction: {
    readonly Gid: string;
    readonly Status: string;
    readonly RollbackReason: string;
    readonly Result: string;
  };
  readonly Progresses: readonly {
    readonly Status: string;
    readonly BinData: Uint8Array;
    readonly BranchID: string;
    readonly Op: string;
  }[];
}

/** A change of a topic. */
export interface GrpcTopic {
  readonly Topic: string;
  readonly URL: string;
  readonly Remark: string;
}

type Nothing = Readonly<Record<string, never>>;

/** All messages, by what they are for. */
export const grpcMessages = {
  nothing: codec<Nothing>('google.protobuf.Empty'),
  transaction: codec<GrpcTransaction>('dtmgimp.DtmRequest'),
  gid: codec<{ readonly Gid: string }>('dtmgimp.DtmGidReply'),
  branch: codec<GrpcBranch>('dtmgimp.DtmBranchRequest'),
  progresses: codec<GrpcProgresses>('dtmgimp.DtmProgressesReply'),
  topic: codec<GrpcTopic>('dtmgimp.DtmTopicRequest'),
  workflow: codec<{ readonly Data: Uint8Array }>('workflow.WorkflowData'),
  healthRequest: codec<{ readonly service: string }>('grpc.health.v1.HealthCheckRequest'),
  health: codec<{ readonly status: number }>('grpc.health.v1.HealthCheckResponse'),
} as const;
