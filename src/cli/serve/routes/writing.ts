import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { GenerationInput } from '../../../generation/prompt.ts';
import type { Service, WriteRequest, Written } from '../../../serving/service/service.ts';
import type { ServeEnv } from '../app-types.ts';
import { openAiError } from '../error-bodies.ts';
import { failureOf, Refused } from '../failure.ts';

/** Texts of one request; each takes a row of the decoder. */
const MOST_CHOICES = 8;
const MOST_STOPS = 4;

/** Keys that change nothing at this value, and are not known at another. */
const neutral = {
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
  logit_bias: z.strictObject({}).nullish(),
};

/** What both ways to write take. */
export const writingFields = {
  model: z.string(),
  temperature: z.number().min(0).max(2).nullish().describe('0: the likeliest token; by default 1'),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().positive().nullish(),
  n: z.int().min(1).max(MOST_CHOICES).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(MOST_STOPS)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  ...neutral,
};

type Writing = z.infer<z.ZodObject<typeof writingFields>>;

/** A text that is asked for: prompts times `n`. */
export type Choice = Omit<WriteRequest, 'generation' | 'model' | 'stop'>;

/** How a route shows what is written. */
export interface WritingForm {
  /** What its ids begin with. */
  prefix: string;
  object: { whole: string; chunk: string };
  /** A choice without its index. */
  whole(written: Written): object;
  /** What comes before the first piece of a choice, if anything. */
  opening?: object;
  piece(text: string): object;
  closing: object;
}

/** The keys of generation that a request means. */
export function generationOf(writing: Writing, maxTokens: number): GenerationInput {
  const { temperature, top_p, top_k, min_p, repetition_penalty } = writing;
  const isGreedy = temperature === 0;
  return {
    max_new_tokens: maxTokens,
    ...(repetition_penalty != null && { repetition_penalty }),
    ...(isGreedy
      ? { do_sample: false, temperature: null, top_p: null, top_k: null, min_p: null }
      : { do_sample: true, temperature: temperature ?? 1, top_p: top_p ?? 1, top_k: top_k ?? 0 }),
    ...(!isGreedy && min_p != null && { min_p }),
  };
}

/** For each prompt `n` choices; where nobody gives a seed, each request has another. */
export function choicesOf(prompts: readonly WriteRequest['prompt'][], { n, seed }: Writing): Choice[] {
  const first = seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  const count = n ?? 1;
  if (prompts.length * count > MOST_CHOICES)
    throw new Refused(
      422,
      `prompt, n: expected at most ${MOST_CHOICES} texts, got ${prompts.length * count}.`,
    );
  return prompts.flatMap((prompt) => Array.from({ length: count }, (_, i) => ({ prompt, seed: first + i })));
}

/** Answers a request to write, at once or piece by piece. */
export async function answerWriting(
  c: Context<ServeEnv>,
  service: Service,
  writing: Writing,
  choices: readonly Choice[],
  maxTokens: number,
  form: WritingForm,
): Promise<Response> {
  const { facts, signal, client } = c.get('scope');
  const { model, stop } = writing;
  Object.assign(facts, { model: model.slice(0, 200), rows: choices.length });
  const shared = { model, generation: generationOf(writing, maxTokens), stop: [stop ?? []].flat() };
  const head = { id: `${form.prefix}-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
  const write = (choice: Choice, onText?: (text: string) => void) =>
    service.write({ ...shared, ...choice }, signal, onText);

  if (!writing.stream) {
    const written = await Promise.all(choices.map((choice) => write(choice)));
    const usage = usageOf(written, writing);
    Object.assign(facts, { tokens: usage.total_tokens });
    const all = written.map((one, index) => ({
      index,
      ...form.whole(one),
      logprobs: null,
      finish_reason: one.finish,
    }));
    return c.json({ ...head, object: form.object.whole, choices: all, usage });
  }
  // What is wrong with a request is said with its status, before the first piece goes out.
  const chunks: object[] = [];
  let wake = () => {};
  const say = (chunk: object) => {
    chunks.push({ ...head, object: form.object.chunk, ...chunk });
    wake();
  };
  const begun = new Set<number>();
  let isOver = false;
  const begin = (index: number) => {
    if (begun.has(index) || !form.opening) return;
    begun.add(index);
    say({ choices: [{ index, ...form.opening, logprobs: null, finish_reason: null }] });
  };
  const work = Promise.all(
    choices.map(async (choice, index) => {
      const one = await write(choice, (text) => {
        begin(index);
        say({ choices: [{ index, ...form.piece(text), logprobs: null, finish_reason: null }] });
      });
      begin(index);
      say({ choices: [{ index, ...form.closing, logprobs: null, finish_reason: one.finish }] });
      return one;
    }),
  );
  work
    .catch(() => {})
    .finally(() => {
      isOver = true;
      wake();
    });
  const more = async () => {
    while (chunks.length === 0 && !isOver) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await more();
  if (chunks.length === 0) await work;
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => c.get('scope').abort(new Error('the client has gone')));
    try {
      for (;;) {
        await more();
        const chunk = chunks.shift();
        if (!chunk) break;
        await stream.writeSSE({ data: JSON.stringify(chunk) });
      }
      const usage = usageOf(await work, writing);
      Object.assign(facts, { tokens: usage.total_tokens });
      if (writing.stream_options?.include_usage) {
        const last = { ...head, object: form.object.chunk, choices: [], usage };
        await stream.writeSSE({ data: JSON.stringify(last) });
      }
      await stream.writeSSE({ data: '[DONE]' });
    } catch (error) {
      const failure = failureOf(error, client.aborted);
      Object.assign(facts, { error: failure.message });
      await stream.writeSSE({ data: JSON.stringify(openAiError(failure)) });
    }
  });
}

/** The tokens of a prompt count once, however many texts are written after it. */
function usageOf(written: readonly Written[], { n }: Writing) {
  const prompts = written.filter((_, i) => i % (n ?? 1) === 0);
  const prompt_tokens = prompts.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  const completion_tokens = written.reduce((sum, { newTokens }) => sum + newTokens, 0);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
