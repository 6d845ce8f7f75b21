/**
 * Calls participants over gRPC. The stored bytes are the message and are not read; the metadata says who asks for what. The
 * whole exchange ends within its deadline, answers are capped, and every address is checked at the moment of connecting.
 */
import type { Outcome } from '@amends/core';
import type { BranchCall, Transport } from '../../ports/ports.ts';
import { checkedLookup } from '../address/checked-lookup.ts';
import { type CheckAddress, reasonAgainst, refuseForbidden } from '../address/network-address.ts';
import { Deadlines } from '../deadlines.ts';
import { headerText } from '../header-text.ts';
import type { ParticipantTls } from '../participant-tls.ts';
import { leaveUnmade } from '../unmade-call.ts';
import { GrpcChannels } from './grpc-channels.ts';
import { type GrpcRequest, grpcExchange } from './grpc-exchange.ts';

export interface GrpcTransportOptions {
  /** Targets whose connections are kept; the one unused longest is closed for another. Default 1,000. */
  readonly targetsMax?: number;
  /** Asked at every new connection with the resolved address; see `HttpTransportOptions`. */
  readonly checkAddress?: CheckAddress;
  /** For targets that begin with `grpcs://`. Default: the well-known authorities, no certificate of our own. */
  readonly tls?: ParticipantTls;
  /**
   * A server that let a call time out has this time to answer a ping; then its connection is given up. Milliseconds. Default
   * 5,000.
   */
  readonly pingMsMax?: number;
  /** Name and version sent to participants. */
  readonly userAgent?: string;
}

/** Makes the transport for gRPC methods: `host:port/package.Service/Method`, with `grpc://` before it, or `grpcs://` for TLS. */
export function grpcTransport(options: GrpcTransportOptions = {}): Transport {
  const { targetsMax = 1_000, checkAddress = refuseForbidden, tls = {}, userAgent = 'amends' } = options;
  const { pingMsMax = 5_000 } = options;
  const channels = new GrpcChannels(targetsMax, { lookup: checkedLookup(checkAddress), tls, pingMsMax });
  const deadlines = new Deadlines();
  let closed = false;

  return {
    call(request) {
      const { address } = request;
      if (address.by !== 'grpc') return leaveUnmade('invalid_request', notGrpc, 'refused');
      // An address that has connections has been judged.
      const forbidden = channels.has(address) ? null : reasonAgainst(address, checkAddress);
      if (forbidden !== null) return leaveUnmade('address_forbidden', forbidden, 'forbidden');
      if (closed) return leaveUnmade('stopped', 'the coordinator is stopping', 'unsent');
      if (!printable.test(request.gid)) return unsendable(request.gid);
      if (!printable.test(request.workflow)) return unsendable(request.workflow);
      const message = messageOf(request);
      return grpcExchange(request, {
        deadlines,
        channel: () => (closed ? null : channels.take(address)),
        request: (leftMs) => ({ headers: headersOf(request, { userAgent, leftMs }), message }),
      });
    },
    async close() {
      closed = true;
      channels.destroy();
    },
  };
}

const notGrpc = 'the address is not that of a gRPC method';

/** The characters that metadata can hold. Transactions over gRPC whose gid has others are refused when they come in. */
const printable = /^[ -~]*$/;

/** Headers that belong to the exchange itself. A transaction cannot set them. */
const ownHeaders = /^(content-type|content-length|te|user-agent|host|http2-settings|grpc-.*)$/;

/** The metadata. It says who calls, and then holds the transaction's headers, which cannot override that. */
function headersOf(
  request: BranchCall,
  { userAgent, leftMs }: { readonly userAgent: string; readonly leftMs: number },
): GrpcRequest['headers'] {
  const { secure, host, path } = request.address;
  const headers: Record<string, string> = {
    ':method': 'POST',
    ':scheme': secure ? 'https' : 'http',
    ':authority': host,
    ':path': path,
    te: 'trailers',
    'content-type': 'application/grpc',
    'user-agent': userAgent,
    'grpc-timeout': `${Math.ceil(leftMs)}m`,
    'grpc-accept-encoding': 'identity',
  };
  for (const [name, value] of Object.entries(request.headers)) {
    const key = name.toLowerCase();
    if (!ownHeaders.test(key)) headers[key] = key.endsWith('-bin') ? Buffer.from(value).toString('base64') : headerText(value);
  }
  headers['dtm-gid'] = request.gid;
  headers['dtm-trans_type'] = request.mode;
  headers['dtm-branch_id'] = request.branchId;
  headers['dtm-op'] = request.workflow === '' ? request.op : request.workflow;
  headers['dtm-dtm'] = '';
  headers['amends-epoch'] = String(request.epoch);
  headers['amends-attempt'] = String(request.attempt);
  if (request.keepsAnswer) headers['amends-answer'] = 'wanted';
  return headers;
}

/** `WorkflowData.Data`: field 1, bytes. */
const workflowDataTag = 0x0a;

/** The payload itself. The input of a workflow is put into the message that DTM's service `workflow.Workflow` takes. */
function messageOf({ workflow, payload }: BranchCall): Uint8Array {
  if (workflow === '' || payload.byteLength === 0) return payload;
  return Buffer.concat([Buffer.from([workflowDataTag, ...varint(payload.byteLength)]), payload]);
}

/** A count as protobuf writes it: seven bits per byte, the lowest first. */
function varint(count: number): number[] {
  return count < 0x80 ? [count] : [(count & 0x7f) | 0x80, ...varint(count >>> 7)];
}

function unsendable(text: string): Promise<Outcome> {
  return leaveUnmade('invalid_request', `${JSON.stringify(text)} cannot be metadata`, 'refused');
}
