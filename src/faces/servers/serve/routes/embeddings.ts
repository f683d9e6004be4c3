import { z } from '@hono/zod-openapi';
import { unit } from '../../../../tasks/sentence-vectors.ts';
import type { EmbedRequest, Service } from '../../../../use/serving/service/service.ts';
import type { RequestScope, ServeApp } from '../request-scope.ts';
import { flagIn, mediaFormContent, readMediaForm } from './media-form.ts';
import {
  assertAtMost,
  EMBEDDINGS_ERRORS,
  jsonAnswer,
  OPEN_AI_ERRORS,
  onlyModel,
  postRoute,
} from './route-parts.ts';
import { ignoredFields } from './writing-request.ts';

/** OpenAI's limit of texts per request. */
const MAX_INPUTS = 2048;
/** The limit of texts per request in text-embeddings-inference. */
const MAX_TEXTS = 32;

const model = z.string().optional().describe('Name of a model; optional if only one computes embeddings');
const truncate = z
  .boolean()
  .default(true)
  .describe('Truncate texts that are too long instead of rejecting them');
const texts = z
  .union([z.string(), z.array(z.string()).min(1)], 'expected a string, or a list of strings')
  .describe('Texts, or for a model of images, files in base64, also as data URLs');
const promptName = z.string().nullish().describe("Name of a prompt in the model's files, such as query");
const openAi = postRoute(
  '/v1/embeddings',
  "Embeddings in OpenAI's format",
  z
    .strictObject({
      input: texts,
      model: z.string(),
      encoding_format: z.enum(['float', 'base64']).default('float'),
      dimensions: z.int().min(1).optional(),
      ...ignoredFields,
    })
    .openapi('EmbeddingsRequest'),
  {
    ...jsonAnswer(
      'One vector per text',
      z
        .object({
          object: z.literal('list'),
          model: z.string(),
          data: z.array(
            z.object({
              object: z.literal('embedding'),
              index: z.int(),
              embedding: z.union([z.array(z.number()), z.string()]),
            }),
          ),
          usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
        })
        .openapi('Embeddings'),
    ),
    ...OPEN_AI_ERRORS,
  },
);

const embed = postRoute(
  '/embed',
  'Embeddings in the format of text-embeddings-inference',
  z
    .object({
      inputs: texts,
      model,
      truncate,
      prompt_name: promptName,
      normalize: z.boolean().default(true).describe('Normalize vectors to length 1'),
      dimensions: z.int().min(1).nullish(),
    })
    .openapi('EmbedRequest'),
  { ...jsonAnswer('One vector per text', z.array(z.array(z.number()))), ...EMBEDDINGS_ERRORS },
  mediaFormContent({ model: 'string', normalize: 'boolean' }),
);

/** Adds routes that compute embeddings. */
export function addEmbeddings(app: ServeApp, service: Service): void {
  app.openapi(openAi, async (c) => {
    const { input, model: name, encoding_format, dimensions } = c.req.valid('json');
    const inputs = readList(input, MAX_INPUTS, 'input');
    const scope = c.get('scope');
    scope.note(name, inputs.length);
    const { vectors, tokens } = await service.embed(
      { model: name, inputs, dimensions, truncate: false },
      scope.signal,
    );
    const written = (vector: Float32Array) =>
      encoding_format === 'base64' ? encodeBase64(vector) : Array.from(vector);
    // Clients of OpenAI rank by dot products, because OpenAI's vectors have length 1.
    const data = vectors.map(unit).map((vector, index) => ({
      object: 'embedding' as const,
      index,
      embedding: written(vector),
    }));
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    return c.json({ object: 'list' as const, model: name, data, usage }, 200);
  });

  const vectorsOf = async (
    request: Omit<EmbedRequest, 'model'> & { model: string | undefined },
    scope: RequestScope,
  ) => {
    const name = request.model ?? (await onlyModel(service, 'embeds'));
    scope.note(name, request.inputs.length);
    return (await service.embed({ ...request, model: name }, scope.signal)).vectors;
  };
  app.post(embed.path, async (c, next) => {
    const form = await readMediaForm(c, ['model', 'normalize'], MAX_TEXTS);
    if (!form) return next();
    const { inputs, fields } = form;
    const vectors = await vectorsOf({ model: fields.model, inputs, truncate: true }, c.get('scope'));
    return c.json(vectorLists(vectors, flagIn(form, 'normalize', true)));
  });
  app.openapi(embed, async (c) => {
    const asked = c.req.valid('json');
    const vectors = await vectorsOf(
      {
        model: asked.model,
        truncate: asked.truncate,
        promptName: asked.prompt_name ?? undefined,
        inputs: readList(asked.inputs, MAX_TEXTS, 'inputs'),
        dimensions: asked.dimensions ?? undefined,
      },
      c.get('scope'),
    );
    return c.json(vectorLists(vectors, asked.normalize), 200);
  });
}

function vectorLists(vectors: readonly Float32Array[], normalize: boolean): number[][] {
  return vectors.map((vector) => Array.from(normalize ? unit(vector) : vector));
}

function readList(input: string | readonly string[], most: number, where: string): readonly string[] {
  const list = typeof input === 'string' ? [input] : input;
  assertAtMost(most, list, where);
  return list;
}

/** Encodes float32 numbers (little-endian) as base64. */
function encodeBase64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
