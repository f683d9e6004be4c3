import { createRoute, z } from '@hono/zod-openapi';
import type { Service } from '../../../../use/serving/service/service.ts';
import type { ServeApp } from '../app-types.ts';
import type { ServerMetrics } from '../server-metrics.ts';
import { errorResponses } from './error-responses.ts';

const state = (status: string) => ({
  'application/json': { schema: z.object({ status: z.literal(status) }) },
});
const health = createRoute({
  method: 'get',
  path: '/health',
  summary: 'Check that the server is ready',
  // No key is required, because load balancers have none.
  security: [],
  responses: {
    200: { description: 'The server is ready', content: state('ok') },
    503: { description: 'The server is stopping', content: state('stopping') },
  },
});
const counts = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'Metrics for Prometheus',
  responses: {
    200: { description: 'The Prometheus text format', content: { 'text/plain': { schema: z.string() } } },
    ...errorResponses('embeddings', 401),
  },
});

/** Adds routes for operators: health and metrics. */
export function addOperating(
  app: ServeApp,
  service: Service,
  { adapters, registry }: ServerMetrics,
  isStopping: () => boolean,
): void {
  app.openapi(health, (c) =>
    isStopping() ? c.json({ status: 'stopping' }, 503) : c.json({ status: 'ok' }, 200),
  );
  app.openapi(counts, async (c) => {
    adapters.set((await service.models()).filter(({ parent }) => parent !== undefined).length);
    // The types of routes do not support a content type with a version.
    return c.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType }) as never;
  });
}
