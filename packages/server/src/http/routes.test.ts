import { dtmBase, dtmRoutes } from '@amends/wire/dtm';
import { nativeBase, nativeRoutes } from '@amends/wire/native';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { runningServer, silentLog } from '../testing/running-server.ts';
import { createApp } from './app.ts';
import { makeFallback } from './fallback.ts';

const urlOf = (path: string) => (path.startsWith('/api/') ? path : dtmBase + path).replace(':topic', 't');

describe('a route', () => {
  it.each(nativeRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'of the native table is there: %s',
    async (_name, route) => {
      const amends = await runningServer();
      const { status, body } = await amends.ask(
        route.method,
        nativeBase + route.path.replace('{gid}', 'g').replace('{topic}', 't'),
        route.method === 'POST' || route.method === 'PUT' ? {} : undefined,
      );
      expect(
        Object.keys(route.answers).includes(String(status)) ||
          ['invalid_request', 'not_found', 'not_implemented'].includes(body.code),
      ).toBe(true);
      expect(body.detail ?? '').not.toMatch(/does not exist/);
    },
  );

  it.each(dtmRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "of DTM's table is there: %s",
    async (_name, route) => {
      const amends = await runningServer();
      const { status } = await amends.ask(route.method, urlOf(route.path), route.method === 'POST' ? {} : undefined);
      expect(status).not.toBe(404);
      expect(status).not.toBe(501);
    },
  );

  it('declares its permission, or the server does not start', async () => {
    const app = createApp({
      host: '127.0.0.1',
      tls: null,
      bodyBytesMax: 1_024,
      metrics: createMetrics('1'),
      fallback: makeFallback(silentLog),
      faces: [
        async (face) => {
          face.get('/secret', () => 'x');
        },
      ],
    });
    await expect(app.ready()).rejects.toThrow('route GET /secret declares no permission');
  });
});
