import { createRoute, z } from '@hono/zod-openapi';
import type { Service } from '../../../../use/serving/service/service.ts';
import type { ServeApp } from '../request-scope.ts';
import type { ServerMetrics } from '../server-metrics.ts';
import { errorResponses, OPEN_AI_ERRORS, postRoute } from './route-parts.ts';

const loading = z.object({ lora_name: z.string(), lora_path: z.string() }).openapi('LoadAdapterRequest');
const unloading = z.object({ lora_name: z.string() }).openapi('UnloadAdapterRequest');
const said = {
  200: { description: 'Done', content: { 'text/plain': { schema: z.string() } } },
  ...OPEN_AI_ERRORS,
};

const load = postRoute('/v1/load_lora_adapter', 'Load an adapter from one of the folders', loading, said);
const unload = postRoute('/v1/unload_lora_adapter', 'Unload an adapter', unloading, said);

/** Adds routes that load and unload adapters, as in vLLM. */
export function addAdapters(app: ServeApp, service: Service): void {
  app.openapi(load, async (c) => {
    const { lora_name, lora_path } = c.req.valid('json');
    await service.load(lora_name, lora_path);
    return c.text(`Success: LoRA adapter '${lora_name}' added successfully.`, 200);
  });
  app.openapi(unload, async (c) => {
    const { lora_name } = c.req.valid('json');
    await service.unload(lora_name);
    return c.text(`Success: LoRA adapter '${lora_name}' removed successfully.`, 200);
  });
}

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
