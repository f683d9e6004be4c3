import { z } from '@hono/zod-openapi';

const head = { id: z.string(), created: z.int(), model: z.string() };
const choice = { index: z.int(), logprobs: z.null() };
const finish = z.enum(['stop', 'length']);
const usage = z
  .object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() })
  .openapi('Usage');

/**
 * Schemas for the responses of a route that generates text, complete and streamed.
 *
 * @param name the response's name in the API description
 * @param whole the content of a choice
 * @param piece the content of a part of a choice
 */
export function writtenSchemas(
  name: string,
  object: { whole: string; chunk: string },
  whole: z.ZodRawShape,
  piece: z.ZodRawShape,
) {
  const wholes = z.array(z.object({ ...choice, ...whole, finish_reason: finish }));
  const pieces = z.array(z.object({ ...choice, ...piece, finish_reason: finish.nullable() }));
  return {
    whole: z.object({ ...head, object: z.literal(object.whole), choices: wholes, usage }).openapi(name),
    chunk: z
      .object({ ...head, object: z.literal(object.chunk), choices: pieces, usage: usage.optional() })
      .openapi(`${name}Chunk`),
  };
}
