import { createRoute, z } from '@hono/zod-openapi';
import { INPUT_KINDS, type InputKind } from '../../../../program/modalities/input-kinds.ts';
import { PROGRAM } from '../../../../support/program.ts';
import type { ServedCard, Service } from '../../../../use/serving/service/service.ts';
import { UnknownModel } from '../../../../use/serving/service/service-errors.ts';
import type { ServeApp } from '../request-scope.ts';
import { errorResponses, jsonAnswer } from './route-parts.ts';

const model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int(),
    owned_by: z.string(),
    parent: z.string().nullable().describe('The base model of an adapter'),
    task: z.string().nullable(),
    labels: z.array(z.string()),
    input: z.enum(Object.keys(INPUT_KINDS) as InputKind[]).describe('The kind of its inputs'),
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
