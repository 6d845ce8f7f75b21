/**
 * Calls participants over gRPC: the stored bytes as the message, unread, and who asks for what in the metadata. The
 * whole exchange within its deadline, answers capped, and every address
 * checked at the moment of connecting.
 */
import type { Exchange, Outcome } from '@amends/core';
import type { BranchCall, Transport } from '../../ports/ports.ts';
import { checkedLookup } from '../address/checked-lookup.ts';
import { type CheckAddress, reasonAgainst, refuseForbidden } from '../address/network-address.ts';
import { Deadlines } from '../deadlines.ts';
import { headerText } from '../header-text.ts';
import type { ParticipantTls } from '../participant-tls.ts';
import { GrpcChannels } from './grpc-channels.ts';
import { type GrpcRequest, grpcExchange } from './grpc-exchange.ts';

/** How to call. */
export interface GrpcTransportOptions {
  /** Targets whose connections are kept; the one unused longest is closed for another. Default 1,000. */
  readonly targetsMax?: number;
  /** Asked at every new connection with the resolved address; see `HttpTransportOptions`. */
  readonly checkAddress?: CheckAddress;
  /** For targets that begin with `grpcs://`. Default: the well-known authorities, no certificate of our own. */
  readonly tls?: ParticipantTls;
  /**
   * Time for a server that let a call time out to answer a ping, before its connection is given up. Milliseconds, default 5,000.
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
      if (address.by !== 'grpc') return notMade('invalid_request', notGrpc, 'refused');
      // What has connections has been judged.
      const forbidden = channels.has(address) ? null : reasonAgainst(address, checkAddress);
      if (forbidden !== null) return notMade('address_forbidden', forbidden, 'forbidden');
      if (closed) return notMade('stopped', 'the coordinator is stopping', 'unsent');
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

/** What metadata can hold; gids with other characters are refused where transactions over gRPC come in. */
const printable = /^[ -~]*$/;

/** Headers that belong to the exchange itself, whatever a transaction would have them be. */
const ownHeaders = /^(content-type|content-length|te|user-agent|host|http2-settings|grpc-.*)$/;

/** The metadata: who calls, then the transaction's headers, which cannot make it another. */
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

/** The payload as it is; the input of a workflow inside the message that DTM's service `workflow.Workflow` takes. */
function messageOf({ workflow, payload }: BranchCall): Uint8Array {
  if (workflow === '' || payload.byteLength === 0) return payload;
  return Buffer.concat([Buffer.from([workflowDataTag, ...varint(payload.byteLength)]), payload]);
}

/** A count as protobuf writes it: seven bits per byte, the lowest first. */
function varint(count: number): number[] {
  return count < 0x80 ? [count] : [(count & 0x7f) | 0x80, ...varint(count >>> 7)];
}

function unsendable(text: string): Promise<Outcome> {
  return notMade('invalid_request', `${JSON.stringify(text)} cannot be metadata`, 'refused');
}

function notMade(code: string, detail: string, exchange: Exchange): Promise<Outcome> {
  return Promise.resolve({ class: 'unknown', code, detail, exchange, durationMs: 0 });
}
