/** The .proto files, read as they are: nothing is generated from them, so nothing can be out of step with them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type protobuf from 'protobufjs';

/** They lie beside the sources, in the package too, for those who generate clients. */
const folder = new URL('../../src/grpc/', import.meta.url);

/** Files of what this server answers, as URLs. */
export const servedProtos: readonly URL[] = ['dtm', 'health'].map(fileOf);

const library = () => createRequire(import.meta.url)('protobufjs') as typeof protobuf;
let root: protobuf.Root | null = null;

/**
 * Every message and service of the gRPC API, by full name; read when it is first asked for, so that whoever never speaks gRPC
 * does without.
 */
export function protoRoot(): protobuf.Root {
  root ??= parseProtos(library());
  return root;
}

/** What reads the bytes of a message. */
export function protoReader(bytes: Uint8Array): protobuf.Reader {
  return library().Reader.create(bytes);
}

function parseProtos({ Root, common, parse }: typeof protobuf): protobuf.Root {
  const all = new Root();
  all.addJSON(common.get('google/protobuf/empty.proto')!.nested!);
  for (const name of ['dtm', 'workflow', 'health']) parse(readFileSync(fileOf(name), 'utf8'), all, { keepCase: true });
  return all;
}

function fileOf(name: string): URL {
  return new URL(`${name}.proto`, folder);
}
