import { z } from '@hono/zod-openapi';
import type { GenerationInput } from '../../../../program/generation/prompt.ts';
import type { WriteRequest } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';
import { OPEN_AI_ERRORS, postRoute } from './route-parts.ts';

/** A route that generates text, in OpenAI's formats. */
export function writingRoute<Path extends string, Request extends z.ZodType>(
  path: Path,
  summary: string,
  request: Request,
  { whole, chunk }: ReturnType<typeof writtenSchemas>,
) {
  return postRoute(path, summary, request, {
    200: {
      description: 'The response of the OpenAI API; with `stream`, a stream of events that ends with [DONE]',
      content: { 'application/json': { schema: whole }, 'text/event-stream': { schema: chunk } },
    },
    ...OPEN_AI_ERRORS,
  });
}

const head = { id: z.string(), created: z.int(), model: z.string() };
const choice = { index: z.int(), logprobs: z.null() };
const finish = z.enum(['stop', 'length', 'tool_calls']);
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

/** Maximum texts per request. Each text takes a row of the decoder's batch. */
const MAX_CHOICES = 8;
const MAX_STOPS = 4;

/** The message for a request with log probabilities or functions. */
export const UNSUPPORTED = 'is not supported';

/** A key that has no influence on the answer. Unknown keys are refused, because they might have one. */
export const IGNORED = z.unknown().optional().describe('Ignored');

/** Keys of OpenAI's API about accounts, caches and records. */
export const ignoredFields = {
  user: IGNORED,
  metadata: IGNORED,
  store: IGNORED,
  service_tier: IGNORED,
  safety_identifier: IGNORED,
  prompt_cache_key: IGNORED,
  prompt_cache_retention: IGNORED,
};

/** Keys of OpenAI's API that must have their neutral value. */
const neutral = {
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
  logit_bias: z.strictObject({}).nullish(),
};

/** The keys that both generation routes have. */
export const writingFields = {
  model: z.string(),
  temperature: z.number().min(0).max(2).nullish().describe('0 takes the most likely token (default: 1)'),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().positive().nullish(),
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  seed: z.int().nullish(),
  stop: z
    .union(
      [z.string(), z.array(z.string()).max(MAX_STOPS)],
      `expected a string, or a list of at most ${MAX_STOPS}`,
    )
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: IGNORED })
    .nullish(),
  ...neutral,
  ...ignoredFields,
};

export type Writing = z.infer<z.ZodObject<typeof writingFields>>;

/** A text to generate. A request has `n` of them per prompt. */
export type WrittenChoice = Omit<WriteRequest, 'generation' | 'model' | 'stop'>;

export function readGenerationSettings(writing: Writing, maxTokens: number): GenerationInput {
  const { temperature, top_p, top_k, min_p, repetition_penalty } = writing;
  const isGreedy = temperature === 0;
  return {
    max_new_tokens: maxTokens,
    repetition_penalty: repetition_penalty ?? undefined,
    ...(isGreedy
      ? { do_sample: false, temperature: null, top_p: null, top_k: null, min_p: null }
      : {
          do_sample: true,
          temperature: temperature ?? 1,
          top_p: top_p ?? 1,
          top_k: top_k ?? 0,
          min_p: min_p ?? undefined,
        }),
  };
}

/** Makes `n` choices for each prompt. If the request has no seed, a random one is used. */
export function createChoices(
  prompts: readonly WriteRequest['prompt'][],
  { n, seed }: Writing,
): WrittenChoice[] {
  const first = seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
  const count = n ?? 1;
  if (prompts.length * count > MAX_CHOICES)
    throw new Refused(
      422,
      `prompt, n: ${prompts.length * count} texts requested, at most ${MAX_CHOICES} allowed.`,
      'n',
    );
  return prompts.flatMap((prompt) => Array.from({ length: count }, (_, i) => ({ prompt, seed: first + i })));
}
