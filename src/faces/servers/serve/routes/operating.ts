import { createRoute, z } from '@hono/zod-openapi';
import { MEDIA } from '../../../../input/media/media.ts';
import { PROGRAM } from '../../../../support/program.ts';
import type { ServedCard, Service } from '../../../../use/serving/service/service.ts';
import { UnknownModel } from '../../../../use/serving/service/service-errors.ts';
import type { ServeApp } from '../request-scope.ts';
import type { ServerMetrics } from '../server-metrics.ts';
import { errorResponses, jsonAnswer, OPEN_AI_ERRORS, postRoute } from './route-parts.ts';

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

const model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int(),
    owned_by: z.string(),
    parent: z.string().nullable().describe('The base model of an adapter'),
    task: z.string().nullable(),
    labels: z.array(z.string()),
    input: z.enum(['text', ...MEDIA.map(({ name }) => name)]).describe('The kind of its inputs'),
  })
  .openapi('Model');
const list = z.object({ object: z.literal('list'), data: z.array(model) }).openapi('Models');

const all = createRoute({
  method: 'get',
  path: '/v1/models',
  summary: 'List the base model and the served adapters',
  responses: {
    ...jsonAnswer('The models', list),
    ...errorResponses('openAi', 401, 503, 504),
  },
});
const one = createRoute({
  method: 'get',
  path: '/v1/models/{model}',
  summary: 'Describe a model',
  request: { params: z.object({ model: z.string() }) },
  responses: {
    ...jsonAnswer('The model', model),
    ...errorResponses('openAi', 401, 404, 503, 504),
  },
});

export function addModels(app: ServeApp, service: Service): void {
  app.openapi(all, async (c) => {
    const data = (await service.models()).map(describeModel);
    return c.json({ object: 'list' as const, data }, 200);
  });
  app.openapi(one, async (c) => {
    const { model: name } = c.req.valid('param');
    const models = await service.models();
    const card = models.find((served) => served.name === name);
    if (!card)
      throw new UnknownModel(
        name,
        models.map((served) => served.name),
      );
    return c.json(describeModel(card), 200);
  });
}

function describeModel({ name, created, parent = undefined, task, labels, input }: ServedCard) {
  return {
    id: name,
    object: 'model' as const,
    created,
    owned_by: PROGRAM,
    parent: parent ?? null,
    task: task ?? null,
    labels: [...labels],
    input,
  };
}
