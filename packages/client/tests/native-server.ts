/** A real coordinator behind a real listener, in memory. */

import { resolveConfig, type Server, startServer } from '@amends/server';
import { openMemoryStore } from '@amends/store';

/** Starts a server at a free port of the loopback. */
export function startNativeServer(): Promise<Server> {
  const flags = { host: '127.0.0.1', port: '0', grpcPort: '0', store: 'memory:', logLevel: 'error' };
  return startServer(resolveConfig({ flags }).config, { store: openMemoryStore() });
}
