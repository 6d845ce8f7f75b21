/** Server reflection: tools such as grpcurl ask which rpcs there are, and how their messages look. */
import { fileURLToPath } from 'node:url';
import { servedProtos } from '@amends/wire/grpc';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** Has `server` answer by both versions of the protocol. */
export function addReflection(server: Server): void {
  new ReflectionService(loadSync(servedProtos.map((file) => fileURLToPath(file)))).addToServer(server);
}
