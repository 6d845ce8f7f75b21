/** The .proto files, read as they are: nothing is generated from them, so nothing can be out of step with them. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** They lie beside the sources, in the package too, for those who generate clients. */
const folder = new URL('../../src/grpc/', import.meta.url);

let root: protobuf.Root | null = null;

/** Every message and service of the gRPC API, by full name; read when it is first asked for. */
export function protoRoot(): protobuf.Root {
  root ??= parsed();
  return root;
}

function parsed(): protobuf.Root {
  const all = new protobuf.Root();
  all.addJSON(protobuf.common.get('google/protobuf/empty.proto')!.nested!);
  for (const name of ['dtm', 'workflow', 'health'])
    protobuf.parse(readFileSync(new URL(`${name}.proto`, folder), 'utf8'), all, { keepCase: true });
  return all;
}
