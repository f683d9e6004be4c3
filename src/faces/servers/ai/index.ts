/**
 * Trained models for the AI SDK, in the same process: language models, embedding models and reranking models.
 *
 * @module ai
 */

import type { EmbeddingModel, LanguageModel, RerankingModel } from 'ai';
import type { ChatMessage } from '../../../input/text/chat/chat-template.ts';
import type { GenerationInput } from '../../../program/generation/prompt.ts';
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
export interface AdaLoraProvider {
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
  const writer = (path: string, promptOf: (prompt: Call['prompt']) => string | ChatMessage[]): Writer => {
    const generate = async (call: Call, onText: (text: string) => void) =>
      write(await open(path, { generates: true }), promptOf(call.prompt), call, onText);
    return {
      ...describe(path),
      supportedUrls: {},
      async doGenerate(call) {
        let text = '';
        const end = await generate(call, (piece) => {
          text += piece;
        });
        return { content: [{ type: 'text', text }], ...end, warnings: listWarnings(call) };
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

/** Generates a text up to a stop sequence. */
async function write(
  model: ModelInThread,
  prompt: string | ChatMessage[],
  call: Call,
  onText: (text: string) => void,
): Promise<Pick<Written, 'finishReason' | 'usage'>> {
  const stop = new StopText(call.stopSequences ?? []);
  const stopped = new AbortController();
  const { abortSignal, seed } = call;
  const give = (text: string) => {
    if (text !== '') onText(text);
  };
  let finish: 'stop' | 'length' = 'stop';
  let count: number | undefined;
  try {
    const { finish: end, ids } = await model.generate(prompt, {
      ...readGenerationSettings(call),
      seed,
      signal: abortSignal ? AbortSignal.any([abortSignal, stopped.signal]) : stopped.signal,
      onText(piece) {
        give(stop.add(piece));
        if (stop.isEnded) stopped.abort();
      },
    });
    count = ids.length;
    if (!stop.isEnded) finish = end;
  } catch (error) {
    if (!stop.isEnded || abortSignal?.aborted) throw error;
  }
  give(stop.end());
  return {
    finishReason: { unified: finish, raw: finish },
    usage: {
      inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: count, text: count, reasoning: undefined },
    },
  };
}

/** @throws UserError for tools and for JSON, which no answer is kept to */
function readGenerationSettings(call: Call): GenerationInput {
  const { tools = [], responseFormat, maxOutputTokens, temperature, topP, topK } = call;
  if (tools.length > 0)
    throw new UserError({ where: PROGRAM, fault: 'does not call tools', hint: 'Leave out `tools`.' });
  if (responseFormat?.type === 'json')
    throw new UserError({
      where: PROGRAM,
      fault: 'cannot restrict answers to JSON or a schema',
      hint: 'Use generateText, or train a classification.',
    });
  if (temperature === 0)
    return { max_new_tokens: maxOutputTokens, do_sample: false, temperature: null, top_p: null, top_k: null };
  const isSampled = [temperature, topP, topK].some((value) => value !== undefined);
  return {
    max_new_tokens: maxOutputTokens,
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
  generate: (onText: (text: string) => void) => Promise<Pick<Written, 'finishReason' | 'usage'>>,
): ReadableStream<Part> {
  const id = '0';
  return new ReadableStream<Part>({
    async start(controller) {
      const send = (part: Part) => controller.enqueue(part);
      send({ type: 'stream-start', warnings: listWarnings(call) });
      try {
        send({ type: 'text-start', id });
        const end = await generate((delta) => send({ type: 'text-delta', id, delta }));
        send({ type: 'text-end', id });
        send({ type: 'finish', ...end });
      } catch (error) {
        send({ type: 'error', error });
      }
      controller.close();
    },
  });
}

/** @throws UserError for anything but text in a message */
function readConversation(prompt: Call['prompt']): ChatMessage[] {
  return prompt.map(({ role, content }) => ({ role, content: joinText(content) }));
}

/** @throws UserError for more than one message */
function readPlainPrompt(prompt: Call['prompt']): string {
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
