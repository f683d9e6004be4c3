/**
 * Trained models for the AI SDK, in the same process: language models, embedding models and reranking models.
 *
 * @module ai
 */

import type { EmbeddingModel, LanguageModel, RerankingModel } from 'ai';
import type { ChatMessage } from '../../../input/text/chat/chat-template.ts';
import { describeCall, HeldCalls, type ToolCall } from '../../../input/text/chat/tool-calls.ts';
import type { GenerationInput, Prompt } from '../../../program/generation/prompt.ts';
import { openTrained } from '../../../studies/jobs/node/main-entry.ts';
import { PROGRAM } from '../../../support/program.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ScoreAnswer } from '../../../tasks/regression/definition.ts';
import { StopText } from '../../../use/serving/service/local-service.ts';
import type { OpenOptions } from '../../../use/trained/model-options.ts';
import type { ModelInThread } from '../../../use/trained/thread/model-in-thread.ts';

type V4<Model> = Extract<Model, { specificationVersion: 'v4' }>;
type Writer = V4<LanguageModel>;
type Call = Parameters<Writer['doGenerate']>[0];
type Written = Awaited<ReturnType<Writer['doGenerate']>>;
type Part =
  Awaited<ReturnType<Writer['doStream']>>['stream'] extends ReadableStream<infer Type> ? Type : never;

/** Makes the AI SDK's models of the folder of a run, an adapter or a model, or of its Hub id. */
interface AdaLoraProvider {
  /** A model that answers conversations, through its chat template. */
  (path: string): Writer;
  languageModel(path: string): Writer;
  /** A model that continues a text. The prompt is one message of the user, and reaches the model unchanged. */
  completionModel(path: string): Writer;
  embeddingModel(path: string): V4<EmbeddingModel>;
  /** A model that scores pairs of a query and a document. */
  rerankingModel(path: string): V4<RerankingModel>;
  /** Closes all opened models. */
  close(): Promise<void>;
}

/**
 * Returns a provider for the AI SDK. A model is opened when it is first used, in a thread of its own, and stays open until
 * the program ends or the provider is closed.
 *
 * @param options as for `open`
 */
export function createAdaLora(options: OpenOptions = {}): AdaLoraProvider {
  const opened = new Map<string, Promise<ModelInThread>>();
  const open = (path: string, use: Pick<OpenOptions, 'generates' | 'embeds'> = {}) => {
    const key = JSON.stringify([path, use]);
    const model = opened.get(key) ?? openTrained(path, { ...options, ...use });
    opened.set(key, model);
    // A model that could not be opened may be there next time.
    model.catch(() => opened.delete(key));
    return model;
  };
  const writer = (path: string, promptOf: (call: Call) => Prompt): Writer => {
    const generate = async (call: Call, onText: (text: string) => void) =>
      write(await open(path, { generates: true }), promptOf(call), call, onText);
    return {
      ...describe(path),
      supportedUrls: {},
      async doGenerate(call) {
        let text = '';
        const { calls, ...end } = await generate(call, (piece) => {
          text += piece;
        });
        const said: Written['content'] = text === '' && calls.length > 0 ? [] : [{ type: 'text', text }];
        return { content: [...said, ...calls.map(callPart)], ...end, warnings: listWarnings(call) };
      },
      doStream: async (call) => ({ stream: streamParts(call, (onText) => generate(call, onText)) }),
    };
  };
  const languageModel = (path: string) => writer(path, readConversation);
  return Object.assign(languageModel, {
    languageModel,
    completionModel: (path: string) => writer(path, readPlainPrompt),
    embeddingModel: (path: string): V4<EmbeddingModel> => ({
      ...describe(path),
      // Batches are made by the model.
      maxEmbeddingsPerCall: undefined,
      supportsParallelCalls: true,
      async doEmbed({ values, dimensions, abortSignal }) {
        const model = await open(path, { embeds: true });
        const vectors = await model.embed(values, { dimensions, signal: abortSignal });
        return { embeddings: vectors.map((vector) => Array.from(vector)), warnings: [] };
      },
    }),
    rerankingModel: (path: string): V4<RerankingModel> => ({
      ...describe(path),
      async doRerank({ documents, query, topN, abortSignal }) {
        const texts =
          documents.type === 'text' ? documents.values : documents.values.map((one) => JSON.stringify(one));
        const model = await open(path);
        const pairs = texts.map((text_pair) => ({ text: query, text_pair }));
        const scores: number[] = [];
        for await (const { logits } of model.predict<object, ScoreAnswer>(pairs, { signal: abortSignal })) {
          if (logits?.length !== 1)
            throw new UserError({ where: path, fault: 'is no model with one score for a pair of texts' });
          scores.push(1 / (1 + Math.exp(-logits[0]!)));
        }
        const ranking = scores
          .map((relevanceScore, index) => ({ index, relevanceScore }))
          .sort((a, b) => b.relevanceScore - a.relevanceScore || a.index - b.index);
        return { ranking: ranking.slice(0, topN ?? ranking.length) };
      },
    }),
    async close() {
      const models = await Promise.allSettled(opened.values());
      opened.clear();
      await Promise.all(models.map((model) => model.status === 'fulfilled' && model.value.close()));
    },
  });
}

function describe(modelId: string) {
  return { specificationVersion: 'v4', provider: PROGRAM, modelId } as const;
}

/** A provider with the default options. */
export const adalora: AdaLoraProvider = createAdaLora();

type End = Pick<Written, 'finishReason' | 'usage'> & { calls: readonly ToolCall[] };

function callPart({ name, arguments: values }: ToolCall) {
  const input = JSON.stringify(values);
  return { type: 'tool-call', toolCallId: crypto.randomUUID(), toolName: name, input } as const;
}

/** Generates a text up to a stop sequence. With tools, the text before the calls. */
async function write(
  model: ModelInThread,
  prompt: Prompt,
  call: Call,
  onText: (text: string) => void,
): Promise<End> {
  const stop = new StopText(call.stopSequences ?? []);
  const stopped = new AbortController();
  const { abortSignal, seed } = call;
  const hasTools = typeof prompt !== 'string' && 'tools' in prompt;
  const mayCall = hasTools && (call.responseFormat?.type !== 'json' || isForced(call));
  const held = mayCall ? new HeldCalls() : undefined;
  const say = (text: string) => {
    if (text !== '') onText(text);
  };
  const give = (text: string) => say(held ? held.add(text) : text);
  let finish: 'stop' | 'length' = 'stop';
  let [promptTokens, read] = [0, 0];
  let count: number;
  try {
    const { finish: end, ids } = await model.generate(prompt, {
      ...readGenerationSettings(call),
      seed,
      signal: abortSignal ? AbortSignal.any([abortSignal, stopped.signal]) : stopped.signal,
      onRead(tokens, isPrompt) {
        if (isPrompt) promptTokens = tokens;
        else read += tokens;
      },
      onText(piece) {
        give(stop.add(piece));
        if (stop.isEnded) stopped.abort();
      },
    });
    count = ids.length;
    if (!stop.isEnded) finish = end;
  } catch (error) {
    if (!stop.isEnded || abortSignal?.aborted) throw error;
    count = read + 1;
  }
  give(stop.end());
  const { text: rest, calls } = held?.end() ?? { text: '', calls: [] };
  say(rest);
  return {
    calls,
    finishReason: { unified: calls.length > 0 ? 'tool-calls' : finish, raw: finish },
    usage: {
      inputTokens: {
        total: promptTokens,
        noCache: promptTokens,
        cacheRead: undefined,
        cacheWrite: undefined,
      },
      outputTokens: { total: count, text: count, reasoning: undefined },
    },
  };
}

function isForced({ toolChoice }: Call): boolean {
  return toolChoice?.type === 'required' || toolChoice?.type === 'tool';
}

/** @throws UserError if a function must be called that is not there */
function readFormat(call: Call): GenerationInput['response_format'] {
  const { responseFormat, toolChoice } = call;
  if (isForced(call)) {
    const only = toolChoice?.type === 'tool' ? toolChoice.toolName : undefined;
    return { type: 'json_schema', schema: describeCall(listFunctions(call), only) };
  }
  if (responseFormat?.type !== 'json') return undefined;
  const { schema } = responseFormat;
  return schema
    ? { type: 'json_schema', schema: schema as Record<string, unknown> }
    : { type: 'json_object' };
}

function readGenerationSettings(call: Call): GenerationInput {
  const { maxOutputTokens, temperature, topP, topK } = call;
  const limits: GenerationInput = { max_new_tokens: maxOutputTokens, response_format: readFormat(call) };
  if (temperature === 0) return { ...limits, do_sample: false, temperature: null, top_p: null, top_k: null };
  const isSampled = [temperature, topP, topK].some((value) => value !== undefined);
  return {
    ...limits,
    ...(isSampled && { do_sample: true, temperature, top_p: topP, top_k: topK }),
  };
}

function listWarnings({ presencePenalty, frequencyPenalty, reasoning }: Call): Written['warnings'] {
  const isSet = {
    presencePenalty: !!presencePenalty,
    frequencyPenalty: !!frequencyPenalty,
    reasoning: reasoning !== undefined && reasoning !== 'provider-default' && reasoning !== 'none',
  };
  return Object.entries(isSet).flatMap(([feature, has]) => (has ? [{ type: 'unsupported', feature }] : []));
}

/** Sends each piece as it is generated. */
function streamParts(
  call: Call,
  generate: (onText: (text: string) => void) => Promise<End>,
): ReadableStream<Part> {
  const id = '0';
  return new ReadableStream<Part>({
    async start(controller) {
      const send = (part: Part) => controller.enqueue(part);
      send({ type: 'stream-start', warnings: listWarnings(call) });
      try {
        send({ type: 'text-start', id });
        const { calls, ...end } = await generate((delta) => send({ type: 'text-delta', id, delta }));
        send({ type: 'text-end', id });
        for (const call of calls) send(callPart(call));
        send({ type: 'finish', ...end });
      } catch (error) {
        send({ type: 'error', error });
      }
      controller.close();
    },
  });
}

/** @throws UserError for tools that are not functions */
function listFunctions({ tools = [] }: Call) {
  return tools.map((tool) => {
    if (tool.type !== 'function')
      throw new UserError({ where: PROGRAM, fault: `calls functions only, got the tool ${tool.id}` });
    const { type, name, description, inputSchema: parameters } = tool;
    return { type, function: { name, description, parameters } };
  });
}

/** @throws UserError for anything but texts and calls of functions in a message */
function readConversation(call: Call): Prompt {
  const messages = call.prompt.flatMap(readMessage);
  const tools = listFunctions(call);
  return tools.length === 0 || call.toolChoice?.type === 'none' ? messages : { messages, tools };
}

/** Converts a message. Each result of a function becomes a message. */
function readMessage({ role, content }: Call['prompt'][number]): ChatMessage[] {
  if (typeof content === 'string') return [{ role, content }];
  const results = content.flatMap((part): ChatMessage[] => {
    if (part.type !== 'tool-result') return [];
    const { toolCallId: tool_call_id, toolName: name, output } = part;
    const value = 'value' in output ? output.value : (output.reason ?? 'denied');
    return [{ role, name, tool_call_id, content: typeof value === 'string' ? value : JSON.stringify(value) }];
  });
  if (results.length > 0) return results;
  const calls = content.flatMap((part) => {
    if (part.type !== 'tool-call') return [];
    return [
      { id: part.toolCallId, type: 'function', function: { name: part.toolName, arguments: part.input } },
    ];
  });
  const text = joinText(content.filter(({ type }) => type !== 'tool-call') as typeof content);
  return [{ role, content: text, ...(calls.length > 0 && { tool_calls: calls }) }];
}

/** @throws UserError for tools, and for more than one message */
function readPlainPrompt({ prompt, tools = [] }: Call): string {
  if (tools.length > 0)
    throw new UserError({
      where: PROGRAM,
      fault: 'does not call tools when it continues a text',
      hint: 'Use a model for conversations.',
    });
  const [message, ...more] = prompt;
  if (message?.role !== 'user' || more.length > 0)
    throw new UserError({
      where: PROGRAM,
      fault: `continues one text, but the prompt has the messages ${prompt.map(({ role }) => role).join(', ')}`,
      hint: 'Pass only `prompt`, or use a model for conversations.',
    });
  return joinText(message.content);
}

function joinText(content: Call['prompt'][number]['content']): string {
  if (typeof content === 'string') return content;
  return content
    .map((part) => {
      if (part.type === 'text') return part.text;
      throw new UserError({ where: PROGRAM, fault: `reads text only, but a message has a ${part.type}` });
    })
    .join('');
}
