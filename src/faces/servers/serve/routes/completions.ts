import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ChatMessage, ChatTools } from '../../../../input/text/chat/chat-template.ts';
import {
  describeCall,
  HeldCalls,
  listCalls,
  readToolCalls,
  type ToolCall,
} from '../../../../input/text/chat/tool-calls.ts';
import { compileFormat, type ResponseFormat } from '../../../../program/generation/json-grammar.ts';
import { addUp } from '../../../../support/numbers.ts';
import { UserError } from '../../../../support/user-error.ts';
import type { Service, Written } from '../../../../use/serving/service/service.ts';
import { httpFailure, openAiError, Refused } from '../failure.ts';
import type { ServeApp, ServeEnv } from '../request-scope.ts';
import {
  createChoices,
  IGNORED,
  readGenerationSettings,
  UNSUPPORTED,
  type Writing,
  type WrittenChoice,
  writingFields,
  writingRoute,
  writtenSchemas,
} from './writing-request.ts';

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
const promptRequest = z
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

const PROMPT_FORM: WritingForm = {
  prefix: 'cmpl',
  object: { whole: 'text_completion', chunk: 'text_completion' },
  whole: ({ text }) => ({ text }),
  piece: (text) => ({ text }),
  closing: { text: '' },
};

const text = { text: z.string() };
const promptRoute = writingRoute(
  '/v1/completions',
  'Generate text after a prompt',
  promptRequest,
  writtenSchemas('Completion', PROMPT_FORM.object, text, text),
);

function readPrompts(prompt: z.infer<typeof promptRequest>['prompt']): (string | Int32Array)[] {
  if (typeof prompt === 'string') return [prompt];
  if (typeof prompt[0] === 'number') return [Int32Array.from(prompt as number[])];
  return (prompt as (string | number[])[]).map((one) =>
    typeof one === 'string' ? one : Int32Array.from(one),
  );
}

/** The default maximum of new tokens. It is so high that only the model's positions limit an answer. */
const TO_THE_END = 2 ** 30;

const toolCall = z.object({
  id: z.string().optional(),
  type: z.literal('function').optional(),
  function: z.object({ name: z.string(), arguments: z.string() }),
});
const tool = z.object({
  type: z.literal('function'),
  function: z.looseObject({ name: z.string() }),
});
const part = z.object({ type: z.literal('text'), text: z.string() });
const message = z.object({
  role: z.string(),
  content: z
    .union([z.string(), z.array(part)], 'expected a string, or a list of parts of type text')
    .nullish(),
  name: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
  tool_call_id: z.string().nullish(),
});
const chatRequest = z
  .strictObject({
    ...writingFields,
    messages: z.array(message).min(1),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    logprobs: z.literal(false, UNSUPPORTED).nullish(),
    top_logprobs: z.literal(0, UNSUPPORTED).nullish(),
    tools: z.array(tool).nullish(),
    tool_choice: z
      .union(
        [
          z.enum(['none', 'auto', 'required']),
          z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) }),
        ],
        'must be "none", "auto", "required" or a function',
      )
      .nullish(),
    functions: z.array(z.unknown()).max(0, UNSUPPORTED).nullish(),
    // Without functions, this has no influence.
    function_call: IGNORED,
    parallel_tool_calls: IGNORED,
    modalities: z.tuple([z.literal('text')], UNSUPPORTED).nullish(),
    response_format: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.enum(['text', 'json_object']) }),
        z.strictObject({
          type: z.literal('json_schema'),
          json_schema: z.looseObject({ schema: z.looseObject({}) }),
        }),
        z.strictObject({ type: z.literal('choice'), choices: z.array(z.string().min(1)).min(1) }),
      ])
      .nullish()
      .describe('`choice` is an addition to the API: the answer is one of `choices`'),
  })
  .openapi('ChatCompletionRequest');

const CHAT_FORM: WritingForm = {
  prefix: 'chatcmpl',
  object: { whole: 'chat.completion', chunk: 'chat.completion.chunk' },
  whole: ({ text, calls }) => ({
    message: {
      role: 'assistant',
      content: calls && text === '' ? null : text,
      refusal: null,
      ...(calls && { tool_calls: calls }),
    },
  }),
  opening: { delta: { role: 'assistant', content: '' } },
  piece: (text) => ({ delta: { content: text } }),
  closing: { delta: {} },
};

const role = z.literal('assistant');
const chatRoute = writingRoute(
  '/v1/chat/completions',
  'Generate the next message of a conversation',
  chatRequest,
  writtenSchemas(
    'ChatCompletion',
    CHAT_FORM.object,
    {
      message: z.object({
        role,
        content: z.string().nullable(),
        refusal: z.null(),
        tool_calls: z.array(toolCall).optional(),
      }),
    },
    {
      delta: z.object({
        role: role.optional(),
        content: z.string().optional(),
        tool_calls: z.array(toolCall.extend({ index: z.int() })).optional(),
      }),
    },
  ),
);

/** Converts a message. If it has several parts, their texts are joined. */
function readMessage(
  { role, content, name, tool_calls: given, tool_call_id }: z.infer<typeof message>,
  place: number,
): ChatMessage {
  const text = Array.isArray(content) ? content.map((one) => one.text).join('') : (content ?? '');
  const calls = listCalls({ role, tool_calls: given });
  if (given && calls.length < given.length) {
    const key = `messages.${place}.tool_calls`;
    throw new Refused(400, `\`${key}\` must have JSON objects as arguments`, key);
  }
  return {
    role,
    content: text,
    ...(name != null && { name }),
    ...(tool_call_id != null && { tool_call_id }),
    // Templates read arguments as an object, OpenAI's API sends them as text.
    ...(given && { tool_calls: calls.map((call, i) => ({ ...given[i], type: 'function', function: call })) }),
  };
}

/** A written text. The calls are in the form of OpenAI's API. */
interface Answered extends Omit<Written, 'finish'> {
  finish: Written['finish'] | 'tool_calls';
  calls?: readonly object[];
}

function asAnswer(written: Written, text: string, calls: readonly ToolCall[]): Answered {
  if (calls.length === 0) return { ...written, text };
  return {
    ...written,
    text,
    finish: 'tool_calls',
    calls: calls.map(({ name, arguments: values }) => ({
      id: `call_${crypto.randomUUID()}`,
      type: 'function',
      function: { name, arguments: JSON.stringify(values) },
    })),
  };
}

/** Adds the routes that generate texts. */
export function addCompletions(app: ServeApp, service: Service): void {
  // The types of routes only support JSON, but these responses may be streams.
  app.openapi(promptRoute, (c) => {
    const writing = c.req.valid('json');
    const choices = createChoices(readPrompts(writing.prompt), writing);
    const maxTokens = writing.max_tokens ?? DEFAULT_TOKENS;
    return answerWriting(c, service, { writing, choices, maxTokens, form: PROMPT_FORM }) as Promise<never>;
  });
  app.openapi(chatRoute, (c) => {
    const writing = c.req.valid('json');
    const messages = writing.messages.map(readMessage);
    const { tools: given, tool_choice: choice } = writing;
    const tools: ChatTools | undefined = given?.length && choice !== 'none' ? given : undefined;
    const choices = createChoices([tools ? { messages, tools } : messages], writing);
    const maxTokens = writing.max_completion_tokens ?? writing.max_tokens ?? TO_THE_END;
    const format = readFormat(writing);
    const reads = tools !== undefined && (!format || format.isCall);
    const all = { writing, choices, maxTokens, form: CHAT_FORM, format: format?.format, reads };
    return answerWriting(c, service, all) as Promise<never>;
  });
}

/**
 * The format of an answer: of a call that is required, or as requested.
 *
 * @throws Refused for a schema that cannot be kept, with the reason
 */
function readFormat({ response_format: given, tools, tool_choice: choice }: z.infer<typeof chatRequest>) {
  const isCall = typeof choice === 'object' || choice === 'required';
  const wanted = given?.type === 'text' ? undefined : given;
  if (!wanted && !isCall) return undefined;
  try {
    if (wanted && isCall)
      throw new UserError({
        where: 'tool_choice',
        fault: 'requires a call, and response_format another answer',
      });
    const format: ResponseFormat = isCall
      ? { type: 'json_schema', schema: describeCall(tools ?? [], Object(choice).function?.name) }
      : wanted?.type === 'json_schema'
        ? { type: 'json_schema', schema: wanted.json_schema.schema }
        : (wanted as ResponseFormat);
    compileFormat(format);
    return { format, isCall };
  } catch (error) {
    const key = isCall ? 'tool_choice' : 'response_format';
    throw error instanceof UserError ? new Refused(400, error.message, key) : error;
  }
}

/** The format of a route that generates text. */
interface WritingForm {
  /** Prefix of response ids. */
  prefix: string;
  object: { whole: string; chunk: string };
  /** The fields of a complete choice, without its index. */
  whole(written: Answered): object;
  /** The part that is sent before a choice's first piece, if any. */
  opening?: object;
  piece(text: string): object;
  closing: object;
}

/** Responds to a generation request, at once or as a stream. */
async function answerWriting(
  c: Context<ServeEnv>,
  service: Service,
  {
    writing,
    choices,
    maxTokens,
    form,
    format,
    reads,
  }: {
    writing: Writing;
    choices: readonly WrittenChoice[];
    maxTokens: number;
    form: WritingForm;
    format?: ResponseFormat | undefined;
    /** Whether calls of functions in a text become the answer's calls. */
    reads?: boolean;
  },
): Promise<Response> {
  const scope = c.get('scope');
  const { facts, signal } = scope;
  const { model, stop } = writing;
  scope.note(model, choices.length);
  const shared = {
    model,
    generation: { ...readGenerationSettings(writing, maxTokens), response_format: format },
    stop: [stop ?? []].flat(),
  };
  const head = { id: `${form.prefix}-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
  const write = async (choice: WrittenChoice, onText?: (text: string) => void): Promise<Answered> => {
    const ask = (onPiece = onText) => service.write({ ...shared, ...choice }, signal, onPiece);
    if (!reads) return ask();
    const held = new HeldCalls();
    const say = (piece: string) => {
      if (piece !== '') onText?.(piece);
    };
    const written = await ask(onText && ((piece) => say(held.add(piece))));
    const { text, calls } = onText ? held.end() : readToolCalls(written.text);
    say(text);
    return asAnswer(written, text, calls);
  };

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
      if (one.calls)
        say(index, { delta: { tool_calls: one.calls.map((call, i) => ({ index: i, ...call })) } });
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
function countUsage(written: readonly Answered[], { n }: Writing) {
  const prompts = written.filter((_, i) => i % (n ?? 1) === 0);
  const prompt_tokens = addUp(prompts, ({ promptTokens }) => promptTokens);
  const completion_tokens = addUp(written, ({ newTokens }) => newTokens);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
