/**
 * What a client asks of a server to have one transaction of two branches done, in each mode: requests that are sent one
 * after the other, of which the last waits for the outcome. All of a kind differ in their gid only, so they are made once.
 */
import { grpcMessages } from '@amends/wire/grpc';
import { type BranchUrls, branchPayload, sagaBody } from './saga-request.ts';

/** What is asked for. Over HTTP but for `grpc-saga`. */
export type JobKind = 'saga' | 'msg' | 'tcc' | 'xa' | 'workflow' | 'grpc-saga';

/** Makes the requests of one job from its gid, which has 22 characters. */
export type RequestsOf<R> = (gid: string) => readonly R[];

/** A call over gRPC: the path of the rpc, and its message with the prefix of a stream. */
export interface GrpcRequest {
  readonly path: string;
  readonly frame: Buffer;
}

const placeholder = 'x'.repeat(22);

/** The requests of a kind over HTTP, as texts for a socket. @param target root of the server */
export function httpRequests(kind: Exclude<JobKind, 'grpc-saga'>, target: URL, urls: BranchUrls): RequestsOf<string> {
  const root = `${target.pathname.replace(/\/$/, '')}/api/dtmsvr/`;
  const cuts = bodiesOf[kind](urls).map(([route, content]) => {
    const body = JSON.stringify(content);
    const head = `POST ${root}${route} HTTP/1.1\r\nhost: ${target.host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    return `${head}${body}`.split(placeholder) as [string, string];
  });
  return (gid) => cuts.map(([before, after]) => before + gid + after);
}

type Body = readonly [route: string, content: object];

const bodiesOf: Readonly<Record<Exclude<JobKind, 'grpc-saga'>, (urls: BranchUrls) => readonly Body[]>> = {
  saga: (urls) => [['submit', sagaBody(placeholder, urls)]],
  msg(urls) {
    const steps = urls.map((action) => ({ action }));
    const payloads = urls.map(() => branchPayload);
    const message = { gid: placeholder, trans_type: 'msg', steps, payloads, query_prepared: urls[0], wait_result: true };
    return [
      ['prepare', message],
      ['submit', message],
    ];
  },
  tcc: (urls) => twoPhase('tcc', urls, (url) => ({ confirm: url, cancel: url, data: branchPayload })),
  xa: (urls) => twoPhase('xa', urls, (url) => ({ url })),
  workflow(urls) {
    const custom = JSON.stringify({ name: 'bench', data: Buffer.from(branchPayload).toString('base64') });
    const any = { gid: placeholder, trans_type: 'workflow' };
    const recorded = { ...any, op: 'action', status: 'succeed', data: branchPayload };
    return [
      ['prepareWorkflow', { ...any, query_prepared: urls[0], custom_data: custom }],
      ['registerBranch', { ...recorded, branch_id: '01' }],
      ['registerBranch', { ...recorded, branch_id: '02' }],
      ['submit', { ...any, req_extra: { status: 'succeed' } }],
    ];
  },
};

function twoPhase(mode: 'tcc' | 'xa', urls: BranchUrls, branchOf: (url: string) => object): readonly Body[] {
  const any = { gid: placeholder, trans_type: mode };
  return [
    ['prepare', any],
    ...urls.map((url, index): Body => ['registerBranch', { ...any, branch_id: `0${index + 1}`, ...branchOf(url) }]),
    ['submit', { ...any, wait_result: true }],
  ];
}

/** The same for a saga over gRPC. @param methods of the branches, as `host:port/service/method` */
export function grpcRequests(methods: BranchUrls): RequestsOf<GrpcRequest> {
  const options = { WaitResult: true, TimeoutToFail: 0, RetryInterval: 0, BranchHeaders: {}, RequestTimeout: 0, RetryLimit: 0 };
  const message = grpcMessages.transaction.encode({
    Gid: placeholder,
    TransType: 'saga',
    TransOptions: options,
    CustomedData: '',
    BinPayloads: methods.map(() => Buffer.from(branchPayload)),
    QueryPrepared: '',
    Steps: JSON.stringify(methods.map((method) => ({ action: method, compensate: method }))),
    ReqExtra: {},
    RollbackReason: '',
  });
  const template = grpcFrame(message);
  const at = template.indexOf(placeholder);
  return (gid) => {
    const frame = Buffer.from(template);
    frame.write(gid, at, 'latin1');
    return [{ path: '/dtmgimp.Dtm/Submit', frame }];
  };
}

/** A message as gRPC sends it: uncompressed, its length before it. */
export function grpcFrame(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.byteLength);
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, 5);
  return frame;
}
