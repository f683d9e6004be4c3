import { z } from '@hono/zod-openapi';
import type { Service } from '../../../../use/serving/service/service.ts';
import type { ServeApp } from '../request-scope.ts';
import { answerWriting, type WritingForm } from './answer-writing.ts';
import { choicesOf, UNSUPPORTED, writingFields, writingRoute, writtenSchemas } from './writing-request.ts';

/** OpenAI's default number of new tokens. */
const DEFAULT_TOKENS = 16;

const tokens = z
  .array(
    z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  )
  .min(1);
const request = z
  .strictObject({
    ...writingFields,
    prompt: z.union(
      [z.string(), z.array(z.string()).min(1), tokens, z.array(tokens).min(1)],
      'expected a string, token ids, or a list of either',
    ),
    max_tokens: z.int().min(1).nullish(),
    echo: z.literal(false).nullish(),
    suffix: z.literal('').nullish(),
    // 0 is rejected too, because it requests the log probabilities of the generated tokens.
    logprobs: z.null(UNSUPPORTED).optional(),
    best_of: z.literal(1).nullish(),
  })
  .openapi('CompletionRequest');

const FORM: WritingForm = {
  prefix: 'cmpl',
  object: { whole: 'text_completion', chunk: 'text_completion' },
  whole: ({ text }) => ({ text }),
  piece: (text) => ({ text }),
  closing: { text: '' },
};

const text = { text: z.string() };
const route = writingRoute(
  '/v1/completions',
  'Generate text after a prompt',
  request,
  writtenSchemas('Completion', FORM.object, text, text),
);

export function addCompletions(app: ServeApp, service: Service): void {
  app.openapi(route, (c) => {
    const asked = c.req.valid('json');
    const choices = choicesOf(promptsOf(asked.prompt), asked);
    // The types of routes only support JSON, but this response may be a stream.
    return answerWriting(c, service, {
      writing: asked,
      choices,
      maxTokens: asked.max_tokens ?? DEFAULT_TOKENS,
      form: FORM,
    }) as Promise<never>;
  });
}

function promptsOf(prompt: z.infer<typeof request>['prompt']): (string | Int32Array)[] {
  if (typeof prompt === 'string') return [prompt];
  if (typeof prompt[0] === 'number') return [Int32Array.from(prompt as number[])];
  return (prompt as (string | number[])[]).map((one) =>
    typeof one === 'string' ? one : Int32Array.from(one),
  );
}
