import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createCohere } from '@ai-sdk/cohere';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { CohereRerank } from '@langchain/cohere';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type OpenedModel, open } from 'adalora';
import { createAdaLora } from 'adalora/ai';
import { embed, embedMany, generateObject, generateText, rerank, streamObject, streamText, tool } from 'ai';
import { CohereClient } from 'cohere-ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AdaLoraRetriever } from '../examples/retriever.ts';
import { newWorkspace } from './support/commands.ts';
import { writeMadeAdapter } from './support/made-adapter.ts';
import { writeSmallGenerator } from './support/small-generator.ts';

/* The clients of the JavaScript world, against a server with mixed adapters and in this process. */

const workspace = newWorkspace();
const TEXTS = ['a very good cat .', 'a dog', 'fish and a bad film'];
const QUERY = 'a good cat';
const MESSAGES = [{ role: 'user' as const, content: 'the cat' }];

const ANIMAL = z.object({ animal: z.enum(['cat', 'dog']), age: z.number().min(0).max(9) });

const path = (...names: string[]) => workspace.path(...names);
const made = (folder: string, base: string, options: Parameters<typeof writeMadeAdapter>[2]) => {
  mkdirSync(folder, { recursive: true });
  writeMadeAdapter(folder, base, options);
  return folder;
};

let servers: Awaited<ReturnType<typeof serve>>[] = [];
let encoder = '';
let decoder = '';
let vectors: OpenedModel;
let ranks: OpenedModel;
let chat: OpenedModel;

type Call = Parameters<typeof generateText>[0];

/** Expects that a model whose template shows no tools calls the one that it must. */
async function expectForcedCall(call: Call): Promise<void> {
  for (const toolChoice of ['required', { type: 'tool', toolName: 'look' }] as const) {
    const { toolCalls, finishReason } = await generateText({
      ...call,
      toolChoice,
      maxOutputTokens: 52,
    } as typeof call);
    expect(finishReason).toBe('tool-calls');
    expect(toolCalls).toMatchObject([{ toolName: 'look', input: { animal: expect.any(String) } }]);
  }
}

async function serve(folder: string) {
  const { process: child } = workspace.start(['serve', folder, '--port', '0']);
  for (;;) {
    const [text] = await once(child.stdout!, 'data');
    const line = String(text)
      .split('\n')
      .find((one) => one.includes('"listening"'));
    if (line) return { child, url: JSON.parse(line).url as string };
  }
}

beforeAll(async () => {
  writeSmallGenerator(path('decoder'), 'llama', { max_position_embeddings: 1024 });
  const pairs = { text: 'text', text_pair: 'pair', label: 'label' };
  made(path('encoders', 'vectors'), path('model'), {
    seed: 1,
    task: 'sentence_embedding',
    labels: [],
    data: { anchor: 'a', positive: 'b' },
  });
  made(path('encoders', 'ranks'), path('model'), { seed: 2, task: 'regression', labels: [], data: pairs });
  made(path('encoders', 'labels'), path('model'), { seed: 3, method: 'adalora' });
  const targets = ['q_proj', 'v_proj'];
  for (const [i, name] of ['chat', 'other'].entries())
    made(path('decoders', name), path('decoder'), {
      seed: i,
      task: 'causal_lm',
      labels: [],
      data: { messages: 'messages' },
      targets,
    });
  servers = await Promise.all(['encoders', 'decoders'].map(serve));
  [encoder, decoder] = servers.map(({ url }) => url) as [string, string];
  vectors = await open(path('encoders', 'vectors'));
  ranks = await open(path('encoders', 'ranks'));
  chat = await open(path('decoders', 'chat'), { generates: true });
});
afterAll(async () => {
  for (const { child } of servers) child.kill();
  for (const model of [vectors, ranks, chat]) await model?.close();
});

/** The same float32 sums in other batches. */
const near = (vector: ArrayLike<number>) => Array.from(vector, (value) => expect.closeTo(value, 4));
/** The same, scaled to length 1, as clients of OpenAI get it. */
const nearUnit = (vector: ArrayLike<number>) => {
  const length = Math.hypot(...Array.from(vector));
  return near(Array.from(vector, (value) => value / length));
};

async function ranking(): Promise<{ index: number; score: unknown }[]> {
  const pairs = TEXTS.map((text_pair) => ({ text: QUERY, text_pair }));
  const scores: number[] = [];
  for await (const { label } of ranks.predict<object, { label: number }>(pairs)) scores.push(label);
  return [...scores.keys()]
    .sort((a, b) => scores[b]! - scores[a]!)
    .map((index) => ({ index, score: expect.closeTo(1 / (1 + Math.exp(-scores[index]!)), 4) }));
}

/** The last of the partial objects of a stream. */
async function lastObject({ partialObjectStream }: { partialObjectStream: AsyncIterable<unknown> }) {
  let last: unknown;
  for await (const partial of partialObjectStream) last = partial;
  return last;
}

const answer = () =>
  chat.generate(MESSAGES, { max_new_tokens: 8, do_sample: false, top_p: null, top_k: null });

describe('the AI SDK against a server', () => {
  const of = (baseURL: string) => createOpenAICompatible({ name: 'adalora', baseURL: `${baseURL}/v1` });
  const CALL = { messages: MESSAGES, maxOutputTokens: 8, temperature: 0, maxRetries: 0 };
  const model = () => of(decoder).chatModel('chat');

  it('embeds', async () => {
    const { embedding, usage } = await embed({
      model: of(encoder).embeddingModel('vectors'),
      value: TEXTS[0]!,
    });
    const [own] = await vectors.embed(TEXTS);
    expect(embedding).toEqual(nearUnit(own!));
    expect(usage.tokens).toBeGreaterThan(3);
    const { embeddings } = await embedMany({ model: of(encoder).embeddingModel('vectors'), values: TEXTS });
    expect(embeddings).toHaveLength(3);
    expect(embeddings[0]).toEqual(nearUnit(own!));
  });

  it('generates and streams', async () => {
    const { text, ids } = await answer();
    const generated = await generateText({ model: model(), ...CALL });
    expect(generated.text).toBe(text);
    expect(generated.usage).toMatchObject({ outputTokens: ids.length });
    expect(generated.usage.inputTokens).toBeGreaterThan(5);
    const streamed = streamText({ model: model(), ...CALL });
    let pieces = '';
    for await (const piece of streamed.textStream) pieces += piece;
    expect(pieces).toBe(text);
    expect(await streamed.finishReason).toBe(generated.finishReason);
  });

  it('generates and streams objects, several at once, and names a schema that cannot be kept', async () => {
    const structured = createOpenAICompatible({
      name: 'adalora',
      baseURL: `${decoder}/v1`,
      supportsStructuredOutputs: true,
    }).chatModel('chat');
    const call = { ...CALL, model: structured, schema: ANIMAL, maxOutputTokens: 30 };
    const [{ object }, others] = await Promise.all([
      generateObject(call),
      Promise.all([1, 2, 3].map((seed) => generateObject({ ...call, temperature: 1, seed }))),
    ]);
    for (const one of [object, ...others.map((other) => other.object)])
      expect(ANIMAL.parse(one)).toEqual(one);
    expect(await lastObject(streamObject(call))).toEqual(object);
    await expect(generateObject({ ...call, schema: z.object({ at: z.email() }) })).rejects.toThrow(
      'the schema at #/properties/at has the keyword format, which cannot be kept',
    );
  });

  it('offers tools', async () => {
    const schema = z.object({ animal: z.string() });
    const look = tool({ description: 'x', inputSchema: schema, execute: async () => 'y' });
    const call = { model: model(), ...CALL };
    const [plain, offered] = [await generateText(call), await generateText({ ...call, tools: { look } })];
    // The template shows no tools, so they are written into the first question.
    expect(offered.usage.inputTokens! - plain.usage.inputTokens!).toBeGreaterThan(200);
    await expectForcedCall({ model: model(), ...CALL, tools: { look } });
  });

  it("ranks with Cohere's provider", async () => {
    const cohere = createCohere({ baseURL: `${encoder}/v2`, apiKey: 'none' });
    const { ranking: best } = await rerank({
      model: cohere.reranking('ranks'),
      query: QUERY,
      documents: TEXTS,
      topN: 2,
      maxRetries: 0,
    });
    const expected = (await ranking()).slice(0, 2);
    expect(best.map(({ originalIndex: index, score }) => ({ index, score }))).toEqual(expected);
  });
});

describe('the AI SDK in the same process', () => {
  const adalora = createAdaLora();
  afterAll(() => adalora.close());
  const CALL = { messages: MESSAGES, maxOutputTokens: 8, temperature: 0 };
  const model = () => adalora(path('decoders', 'chat'));

  it('embeds', async () => {
    const { embeddings } = await embedMany({
      model: adalora.embeddingModel(path('encoders', 'vectors')),
      values: TEXTS,
    });
    expect(embeddings).toEqual((await vectors.embed(TEXTS)).map(near));
  });

  it('generates and streams, up to a stop text', async () => {
    const { text } = await answer();
    const { text: generated, usage } = await generateText({ model: model(), ...CALL });
    expect(generated).toBe(text);
    const served = await generateText({
      model: createOpenAICompatible({ name: 'adalora', baseURL: `${decoder}/v1` }).chatModel('chat'),
      ...CALL,
    });
    expect([usage.inputTokens, usage.outputTokens]).toEqual([
      served.usage.inputTokens,
      served.usage.outputTokens,
    ]);
    const streamed = streamText({ model: model(), ...CALL });
    let pieces = '';
    for await (const piece of streamed.textStream) pieces += piece;
    expect(pieces).toBe(text);
    const stop = text.slice(2, 4);
    const stopped = await generateText({ model: model(), ...CALL, stopSequences: [stop] });
    expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(stopped.finishReason).toBe('stop');
    expect(stopped.usage.inputTokens).toBe(usage.inputTokens);
  });

  it('generates and streams objects', async () => {
    const call = { ...CALL, model: model(), maxOutputTokens: 30 };
    const { object } = await generateObject({ ...call, schema: ANIMAL });
    expect(ANIMAL.parse(object)).toEqual(object);
    expect(await lastObject(streamObject({ ...call, schema: ANIMAL }))).toEqual(object);
    const { object: free } = await generateObject({ ...call, output: 'no-schema' });
    expect(free).toBeTypeOf('object');
    const { object: chosen } = await generateObject({ ...call, output: 'enum', enum: ['cat', 'dog'] });
    expect(chosen).toMatch(/^(cat|dog)$/);
  });

  it('continues a text', async () => {
    const completed = await generateText({
      model: adalora.completionModel(path('decoders', 'chat')),
      prompt: 'the cat',
      maxOutputTokens: 8,
      temperature: 0,
    });
    const own = await chat.generate('the cat', {
      max_new_tokens: 8,
      do_sample: false,
      top_p: null,
      top_k: null,
    });
    expect(completed.text).toBe(own.text);
  });

  it('gets an error that names what is not supported', async () => {
    const schema = z.object({ animal: z.string() });
    const look = tool({ description: 'x', inputSchema: schema, execute: async () => 'y' });
    await expectForcedCall({ model: model(), ...CALL, tools: { look } });
    const { warnings } = await generateText({ model: model(), ...CALL, presencePenalty: 1 });
    expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'presencePenalty' }]);
    await expect(
      generateText({
        model: adalora.completionModel(path('decoders', 'chat')),
        ...CALL,
        messages: [...MESSAGES, { role: 'assistant', content: 'a' }, ...MESSAGES],
      }),
    ).rejects.toThrow('continues one text, but the prompt has the messages user, assistant, user');
  });

  it('ranks', async () => {
    const { ranking: best } = await rerank({
      model: adalora.rerankingModel(path('encoders', 'ranks')),
      query: QUERY,
      documents: TEXTS,
    });
    expect(best.map(({ originalIndex: index, score }) => ({ index, score }))).toEqual(await ranking());
    await expect(
      rerank({
        model: adalora.rerankingModel(path('encoders', 'labels')),
        query: QUERY,
        documents: TEXTS,
        maxRetries: 0,
      }),
    ).rejects.toThrow();
  });
});

describe('LangChain.js', () => {
  it('embeds', async () => {
    const embeddings = new OpenAIEmbeddings({
      model: 'vectors',
      apiKey: 'none',
      configuration: { baseURL: `${encoder}/v1` },
      maxRetries: 0,
    });
    // The client leaves out the format, and expects base64.
    const found = await embeddings.embedDocuments(TEXTS);
    expect(found).toEqual((await vectors.embed(TEXTS)).map(nearUnit));
  });

  it('chats, also streamed and with structured output', async () => {
    const model = new ChatOpenAI({
      model: 'chat',
      apiKey: 'none',
      temperature: 0,
      maxTokens: 8,
      maxRetries: 0,
      configuration: { baseURL: `${decoder}/v1` },
    });
    const { text } = await answer();
    expect((await model.invoke(MESSAGES)).content).toBe(text);
    let pieces = '';
    for await (const piece of await model.stream(MESSAGES)) pieces += piece.content;
    expect(pieces).toBe(text);
    const longer = new ChatOpenAI({
      model: 'chat',
      apiKey: 'none',
      maxTokens: 30,
      maxRetries: 0,
      configuration: { baseURL: `${decoder}/v1` },
    });
    for (const method of ['jsonSchema', 'jsonMode'] as const) {
      const answered = await longer
        .withStructuredOutput(method === 'jsonSchema' ? ANIMAL : z.object({}), { method })
        .invoke(MESSAGES);
      expect(answered).toBeTypeOf('object');
      if (method === 'jsonSchema') expect(ANIMAL.parse(answered)).toEqual(answered);
    }
  });

  it('ranks', async () => {
    const client = new CohereClient({ token: 'none', environment: encoder });
    const compressor = new CohereRerank({ client, model: 'ranks', topN: 3 });
    const best = await compressor.rerank(TEXTS, QUERY);
    expect(best.map(({ index, relevanceScore: score }) => ({ index, score }))).toEqual(await ranking());
  });

  it('retrieves', async () => {
    const found = await new AdaLoraRetriever(vectors, TEXTS).invoke(TEXTS[1]!);
    expect(found[0]).toMatchObject({ pageContent: TEXTS[1], metadata: { score: expect.closeTo(1, 4) } });
    expect(found).toHaveLength(3);
  });
});

it('an MCP client classifies, embeds and searches over stdio', async () => {
  const client = new Client({ name: 'test', version: '0' });
  const runs = ['vectors', 'labels'].map((name) => path('encoders', name));
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: ['--import', 'tsx', 'examples/mcp.ts', ...runs],
    }),
  );
  try {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['classify', 'embed', 'search']);
    const call = async (name: string, given: object) =>
      client.callTool({ name, arguments: given as Record<string, unknown> });
    const { structuredContent: classes } = await call('classify', { model: 'labels', texts: TEXTS });
    expect(classes).toMatchObject({
      answers: TEXTS.map(() => ({ label: expect.stringMatching(/^(bad|good)$/) })),
    });
    const { structuredContent: embedded } = await call('embed', { model: 'vectors', texts: TEXTS });
    expect(embedded).toEqual({ vectors: (await vectors.embed(TEXTS)).map(near) });
    const { structuredContent: found } = await call('search', {
      model: 'vectors',
      query: TEXTS[2],
      texts: TEXTS,
      top: 1,
    });
    expect(found).toEqual({ found: [{ index: 2, text: TEXTS[2], score: expect.closeTo(1, 4) }] });
    expect(await call('embed', { model: 'labels', texts: TEXTS })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('not an embedding model') }],
    });
    expect(await call('embed', { model: 'labels' })).toMatchObject({ isError: true });
  } finally {
    await client.close();
  }
});
