import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { addUp } from '../../../../support/numbers.ts';
import type { Service, Written } from '../../../../use/serving/service/service.ts';
import { httpFailure, openAiError } from '../failure.ts';
import type { ServeEnv } from '../request-scope.ts';
import { readGenerationSettings, type Writing, type WrittenChoice } from './writing-request.ts';

/** The format of a route that generates text. */
export interface WritingForm {
  /** Prefix of response ids. */
  prefix: string;
  object: { whole: string; chunk: string };
  /** The fields of a complete choice, without its index. */
  whole(written: Written): object;
  /** The part that is sent before a choice's first piece, if any. */
  opening?: object;
  piece(text: string): object;
  closing: object;
}

/** Responds to a generation request, at once or as a stream. */
export async function answerWriting(
  c: Context<ServeEnv>,
  service: Service,
  {
    writing,
    choices,
    maxTokens,
    form,
  }: { writing: Writing; choices: readonly WrittenChoice[]; maxTokens: number; form: WritingForm },
): Promise<Response> {
  const scope = c.get('scope');
  const { facts, signal } = scope;
  const { model, stop } = writing;
  scope.note(model, choices.length);
  const shared = { model, generation: readGenerationSettings(writing, maxTokens), stop: [stop ?? []].flat() };
  const head = { id: `${form.prefix}-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
  const write = (choice: WrittenChoice, onText?: (text: string) => void) =>
    service.write({ ...shared, ...choice }, signal, onText);

  if (!writing.stream) {
    const written = await Promise.all(choices.map((choice) => write(choice)));
    const usage = countUsage(written, writing);
    Object.assign(facts, { tokens: usage.total_tokens });
    const all = written.map((one, index) => ({
      index,
      ...form.whole(one),
      logprobs: null,
      finish_reason: one.finish,
    }));
    return c.json({ ...head, object: form.object.whole, choices: all, usage });
  }
  let parts!: ReadableStreamDefaultController<object>;
  const reader = new ReadableStream<object>({
    start(controller) {
      parts = controller;
    },
  }).getReader();
  const chunk = (fields: object) => ({ ...head, object: form.object.chunk, ...fields });
  let isOver = false;
  const say = (index: number, part: object, finish: string | null = null) => {
    // The other choices may still be written after one has failed.
    if (isOver) return;
    parts.enqueue(chunk({ choices: [{ index, ...part, logprobs: null, finish_reason: finish }] }));
  };
  const end = () => {
    isOver = true;
    parts.close();
  };
  const work = Promise.all(
    choices.map(async (choice, index) => {
      let isOpen = false;
      const open = () => {
        if (!isOpen && form.opening) say(index, form.opening);
        isOpen = true;
      };
      const one = await write(choice, (text) => {
        open();
        say(index, form.piece(text));
      });
      open();
      say(index, form.closing, one.finish);
      return one;
    }),
  );
  work.then(end, end);
  // Wait for the first piece, so that a request that fails earlier gets an error status.
  const first = await reader.read();
  if (first.done) await work;
  return streamSSE(c, async (stream) => {
    const send = (data: object) => stream.writeSSE({ data: JSON.stringify(data) });
    stream.onAbort(() => scope.gone());
    try {
      for (let part = first; !part.done; part = await reader.read()) await send(part.value);
      const usage = countUsage(await work, writing);
      Object.assign(facts, { tokens: usage.total_tokens });
      if (writing.stream_options?.include_usage) await send(chunk({ choices: [], usage }));
      await stream.writeSSE({ data: '[DONE]' });
    } catch (error) {
      const failure = httpFailure(error, scope.isGone);
      Object.assign(facts, { error: failure.message });
      await send(openAiError(failure));
    }
  });
}

/** Counts tokens. A prompt's tokens count once, even if several texts are generated for it. */
function countUsage(written: readonly Written[], { n }: Writing) {
  const prompts = written.filter((_, i) => i % (n ?? 1) === 0);
  const prompt_tokens = addUp(prompts, ({ promptTokens }) => promptTokens);
  const completion_tokens = addUp(written, ({ newTokens }) => newTokens);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
