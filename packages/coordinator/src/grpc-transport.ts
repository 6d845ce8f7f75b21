/**
 * Calls participants over gRPC: the stored bytes as the message, unread, and who asks for what in the metadata. One channel
 * per target, kept while it is used; the addresses behind its name are checked when it is made, and again when it has failed.
 */
import { type Exchange, limits, type Outcome, type OutcomeClass } from '@amends/core';
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type CheckAddress, refuseForbidden } from './address.ts';
import { checkedAddresses, forbiddenCode } from './checked-lookup.ts';
import { type GrpcTarget, grpcTarget } from './grpc-target.ts';
import type { BranchCall, Transport } from './ports.ts';
import { remembered } from './remembered.ts';

/** How to call. */
export interface GrpcTransportOptions {
  /** Targets whose channels are kept; the one unused longest is closed for another. Default 1,000. */
  readonly targetsMax?: number;
  /** Asked with each address behind a name before it is connected to; see `HttpTransportOptions`. */
  readonly checkAddress?: CheckAddress;
  /** For targets that begin with `grpcs://`. Default: TLS with the certificates that Node trusts. */
  readonly secure?: ChannelCredentials;
}

/** Makes the transport for gRPC methods, as `host:port/package.Service/Method`, with `grpc://`, or `grpcs://` for TLS. */
export function grpcTransport(options: GrpcTransportOptions = {}): Transport {
  const { targetsMax = 1_000, checkAddress = refuseForbidden, secure = credentials.createSsl() } = options;
  const targetOf = remembered(grpcTarget);
  const channels = new Map<string, Promise<Client>>();
  let closed = false;

  /** The channel of a target, used last from now on. */
  function channelOf(target: GrpcTarget): Promise<Client> {
    const known = channels.get(target.key);
    if (known !== undefined) channels.delete(target.key);
    else if (channels.size >= targetsMax) drop(channels.keys().next().value!);
    const channel = known ?? opened(target, { checkAddress, secure });
    channels.set(target.key, channel);
    return channel;
  }

  function drop(key: string): void {
    const channel = channels.get(key);
    channels.delete(key);
    void channel?.then(
      (client) => client.close(),
      () => {},
    );
  }

  return {
    async call(request) {
      if (closed) return unsent();
      const startedAt = performance.now();
      const target = targetOf(request.url);
      let outcome: Omit<Outcome, 'durationMs'>;
      try {
        outcome = await exchange(await channelOf(target), target.path, request);
      } catch (error) {
        outcome = neverConnected(error as NodeJS.ErrnoException);
      }
      // What is behind the name may have moved: look again next time.
      if (outcome.code === `grpc_${status.UNAVAILABLE}` || outcome.exchange === 'refused') drop(target.key);
      return { ...outcome, durationMs: Math.round(performance.now() - startedAt) };
    },
    async close() {
      closed = true;
      for (const key of [...channels.keys()]) drop(key);
    },
  };
}

async function opened(target: GrpcTarget, { checkAddress, secure }: Required<Omit<GrpcTransportOptions, 'targetsMax'>>) {
  const addresses = await checkedAddresses(target.hostname, checkAddress);
  const family = addresses[0]!.includes(':') ? 'ipv6' : 'ipv4';
  const places = addresses.filter((address) => address.includes(':') === (family === 'ipv6'));
  const list = places.map((address) => (family === 'ipv6' ? `[${address}]:${target.port}` : `${address}:${target.port}`));
  return new Client(`${family}:${list.join(',')}`, target.secure ? secure : credentials.createInsecure(), {
    'grpc.default_authority': target.authority,
    'grpc.ssl_target_name_override': target.hostname,
    'grpc.max_receive_message_length': limits.answerBytesMax,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
  });
}

const asItIs = (bytes: Buffer) => bytes;

function exchange(client: Client, path: string, request: BranchCall): Promise<Omit<Outcome, 'durationMs'>> {
  const message = Buffer.from(request.payload.buffer, request.payload.byteOffset, request.payload.byteLength);
  const deadline = Date.now() + request.deadlineInMs;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, asItIs, asItIs, message, metadataOf(request), { deadline }, (error, reply) => {
      resolve(error === null ? agreed(request, reply!) : refused(error));
    });
  });
}

/** With one of these Node's HTTP/2 throws, and the library tries again without pause. */
const reservedHeaders = /^(?:connection|http2-settings|keep-alive|proxy-connection|te|transfer-encoding|upgrade|grpc-.*)$/i;

function metadataOf(request: BranchCall): Metadata {
  const metadata = new Metadata();
  metadata.set('dtm-gid', encodeURI(request.gid));
  metadata.set('dtm-trans_type', request.mode);
  metadata.set('dtm-branch_id', request.branchId);
  metadata.set('dtm-op', request.workflow === '' ? request.op : encodeURI(request.workflow));
  metadata.set('dtm-dtm', '');
  for (const [name, value] of Object.entries(request.headers))
    if (!reservedHeaders.test(name)) metadata.set(name.toLowerCase(), value);
  metadata.set('amends-epoch', String(request.epoch));
  metadata.set('amends-attempt', String(request.attempt));
  return metadata;
}

function agreed({ keepsAnswer }: BranchCall, reply: Buffer): Omit<Outcome, 'durationMs'> {
  const outcome = { class: 'success', code: 'grpc_0', detail: '', exchange: 'answered' } as const;
  return keepsAnswer ? { ...outcome, kept: reply } : outcome;
}

/** Codes after which the participant may still be at work. */
const brokenCodes: ReadonlySet<number> = new Set([
  status.DEADLINE_EXCEEDED,
  status.UNAVAILABLE,
  status.CANCELLED,
  // Also what a broken stream looks like.
  status.INTERNAL,
]);

function refused({ code, details }: ServiceError): Omit<Outcome, 'durationMs'> {
  const exchange: Exchange = brokenCodes.has(code) ? 'broken' : 'answered';
  const name = code === status.DEADLINE_EXCEEDED ? 'timeout' : `grpc_${code}`;
  const detail = details.slice(0, limits.answerCharactersKept).toWellFormed().replaceAll('\u0000', '\ufffd');
  return { class: classOf(code, details), code: name, detail, exchange };
}

function classOf(code: number, details: string): OutcomeClass {
  if (code === status.ABORTED) return details === 'ONGOING' ? 'ongoing' : 'failure';
  return code === status.FAILED_PRECONDITION ? 'ongoing' : 'unknown';
}

function neverConnected({ code, message }: NodeJS.ErrnoException): Omit<Outcome, 'durationMs'> {
  if (code === forbiddenCode) return { class: 'unknown', code: 'address_forbidden', detail: message, exchange: 'forbidden' };
  return { class: 'unknown', code: 'name_unknown', detail: message, exchange: 'refused' };
}

function unsent(): Outcome {
  return { class: 'unknown', code: 'stopped', detail: 'the coordinator is stopping', exchange: 'unsent', durationMs: 0 };
}
