/** Taking the addresses of gRPC methods apart. They were checked when the transaction was accepted. */

/** Where to connect, and which method to call there. */
export interface GrpcTarget {
  /** Equal for equal channels. */
  readonly key: string;
  readonly secure: boolean;
  /** Host name or address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Host and port as they were given. */
  readonly authority: string;
  /** `/package.Service/Method` */
  readonly path: string;
}

const form = /^(?:(grpcs?):\/\/)?((?:\[[\da-f:.]+\]|[^/:]+):(\d+))(\/.+)$/i;

/** Whether an address is that of a gRPC method. */
export function isGrpcTarget(url: string): boolean {
  return !/^https?:/i.test(url) && form.test(url);
}

/** Takes an address apart. @throws TypeError when it is not one */
export function grpcTarget(url: string): GrpcTarget {
  const [, scheme = 'grpc', authority = '', port = '', path = ''] = form.exec(url) ?? [];
  if (authority === '') throw new TypeError(`${url} is not the address of a gRPC method`);
  const hostname = authority.slice(0, -port.length - 1).replace(/^\[|\]$/g, '');
  return { key: `${scheme} ${authority}`, secure: scheme === 'grpcs', hostname, port: Number(port), authority, path };
}
