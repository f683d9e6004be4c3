import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PromptTooLong } from '../../../program/generation/search.ts';
import { UserError } from '../../../support/user-error.ts';
import type { Service } from '../../../use/serving/service/service.ts';
import { NotThere, UnknownModel } from '../../../use/serving/service/service-errors.ts';
import { startServer } from '../../cli/commands/serve.ts';
import { type AppOptions, serveApp } from './serve-app.ts';
import { ServerMetrics } from './server-metrics.ts';

const CARD = { folder: 'x', created: 0, labels: [], writes: false, embeds: false, input: 'text' as const };
const SERVICE: Service = {
  models: async () => [{ ...CARD, name: 'cola', parent: 'base' }],
  predict: async ({ inputs }) => inputs.map(() => [{ label: 'good', score: 1 }]),
  embed: async ({ inputs }) => ({
    vectors: inputs.map((_, i) => Float32Array.of(3, 4 * (i + 1))),
    tokens: 2 * inputs.length,
  }),
  write: async () => ({ text: 'text', finish: 'stop', promptTokens: 1, newTokens: 1 }),
  load: async () => {},
  unload: async () => {},
  close: async () => {},
};

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/** Serves an app over HTTP, and returns a client. */
async function served(options: Partial<AppOptions> = {}, service: Partial<Service> = {}) {
  const { app, drain } = serveApp(
    { ...SERVICE, ...service },
    {
      metrics: new ServerMetrics(),
      allowLoading: true,
      maxBody: 1000,
      maxRequests: 10,
      maxSeconds: 10,
      version: '0',
      log() {},
      onFault() {},
      ...options,
    },
  );
  const started = await startServer(app, '127.0.0.1', 0);
  server = started.server;
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    const body = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body };
  };
  const post = (path: string, body: unknown) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { app, ask, post, drain, port: Number(new URL(url).port) };
}

describe('metrics', () => {
  it('label requests by existing routes, also rejected ones', async () => {
    const { ask } = await served({ apiKey: 'key' });
    const headers = { authorization: 'Bearer key' };
    await ask('/made-up');
    await ask('/v1/made-up', { headers });
    await ask('/v1/models/made-up');
    await ask('/v1/models/made-up', { headers });
    await ask('/predict', { method: 'POST', body: 'x'.repeat(2000), headers });
    await ask('/predict', { headers });
    const { body } = await ask('/metrics', { headers });
    const counts = [...body.matchAll(/^adalora_requests_total\{route="(.*)",status="(\d+)"\} (\d+)$/gm)];
    expect(counts.map(([, ...parts]) => parts.join(' '))).toEqual([
      'none 401 1',
      'none 404 1',
      '/v1/models/{model} 401 1',
      '/v1/models/{model} 404 1',
      '/predict 413 1',
      '/predict 405 1',
    ]);
  });
});

describe('an invalid request', () => {
  const failing = (error: Error): Partial<Service> => ({
    write: () => Promise.reject(error),
    load: () => Promise.reject(error),
    unload: () => Promise.reject(error),
  });
  const [COMPLETIONS, CHAT] = ['/v1/completions', '/v1/chat/completions'];
  const LOAD = '/v1/load_lora_adapter';
  const asked = { model: 'm', prompt: 'x' };
  const loading = { lora_name: 'n', lora_path: 'p' };
  const complaint = new UserError('a: expected b, got c.');

  it.each<[string, string, object, Error, number, string | null, string | null]>([
    ['a key', COMPLETIONS, { ...asked, max_tokens: -1 }, complaint, 400, 'max_tokens', null],
    [
      'an unknown key',
      CHAT,
      { model: 'm', messages: [{ role: 'user' }], best: 1 },
      complaint,
      400,
      'best',
      null,
    ],
    [
      'an unknown key',
      COMPLETIONS,
      { ...asked, reasoning_effort: 'low' },
      complaint,
      400,
      'reasoning_effort',
      null,
    ],
    ['an unknown key', '/v1/embeddings', { model: 'm', input: 'x', task: 'q' }, complaint, 400, 'task', null],
    ['a key in another', CHAT, { model: 'm', messages: [{}] }, complaint, 400, 'messages.0.role', null],
    ['too many texts', COMPLETIONS, { ...asked, prompt: Array(9).fill('x') }, complaint, 400, 'n', null],
    ['what a model cannot take', COMPLETIONS, asked, complaint, 400, null, null],
    [
      ...(['a long prompt', COMPLETIONS, asked, new PromptTooLong('x'), 400] as const),
      ...([null, 'context_length_exceeded'] as const),
    ],
    ['no such model', COMPLETIONS, asked, new UnknownModel('m', []), 404, null, 'model_not_found'],
    ['a name that is taken', LOAD, loading, complaint, 400, null, null],
    ['no such folder', LOAD, loading, new NotThere('x'), 404, null, null],
    ['no such route', '/v1/moderations', asked, complaint, 404, null, null],
  ])("%s gets an error in OpenAI's format", async (_, path, body, error, status, param, code) => {
    const { post } = await served({}, failing(error));
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status, body: { error: { param, code } } });
  });

  it('with a wrong method gets the allowed methods', async () => {
    const { ask, post } = await served();
    const got = await ask('/predict');
    expect(got).toMatchObject({ status: 405, body: { error: '/predict does not support GET. Use POST.' } });
    expect(got.headers.get('allow')).toBe('POST');
    const posted = await post('/v1/models/x', {});
    expect(posted).toMatchObject({ status: 405, body: { error: { code: null } } });
    expect(posted.headers.get('allow')).toBe('GET');
  });

  it('to text-embeddings-inference gets status 422 for its body', async () => {
    const { post } = await served();
    expect(await post('/predict', { inputs: 3 })).toMatchObject({
      status: 422,
      body: { error_type: 'validation' },
    });
  });
});

describe('an unsupported key that would change the answer', () => {
  const [COMPLETION, CHAT] = [
    ['/v1/completions', { model: 'm', prompt: 'x' }],
    ['/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'x' }] }],
  ] as const;
  const PREDICT = ['/predict', { inputs: 'x' }] as const;
  const image = { type: 'image_url', image_url: { url: 'x' } };

  it.each<[readonly [string, object], object, number, RegExp | string]>([
    [COMPLETION, { logprobs: 0 }, 400, '`logprobs` is not supported'],
    [COMPLETION, { stop: [...'abcde'] }, 400, '`stop` must be a string, or a list of at most 4'],
    [COMPLETION, { prompt: { text: 'x' } }, 400, '`prompt` must be a string, token ids, or a list of either'],
    [CHAT, { logprobs: true }, 400, '`logprobs` is not supported'],
    [CHAT, { top_logprobs: 2 }, 400, /^`top_logprobs` is not supported/],
    [CHAT, { tools: [{}] }, 400, /^`tools.0.type` is invalid/],
    [CHAT, { tool_choice: 'any' }, 400, '`tool_choice` must be "none", "auto", "required" or a function'],
    [CHAT, { tool_choice: 'required' }, 400, 'requires a call of a function, which is not in tools'],
    [
      CHAT,
      { messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{' } }] }] },
      400,
      '`messages.0.tool_calls` must have JSON objects as arguments',
    ],
    [
      CHAT,
      { response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
      400,
      /^`response_format/,
    ],
    [
      CHAT,
      { response_format: { type: 'json_schema', json_schema: { schema: { type: 'string', pattern: 'a' } } } },
      400,
      'the schema at # has the keyword pattern, which cannot be kept',
    ],
    [CHAT, { functions: [{}] }, 400, '`functions` is not supported'],
    [
      CHAT,
      { messages: [{ role: 'user', content: [image] }] },
      400,
      '`messages.0.content` must be a string, or a list of parts of type text',
    ],
    [PREDICT, { truncation_direction: 'Left' }, 422, /^`truncation_direction` must be Right/],
    [
      PREDICT,
      { inputs: ['a', 'b', 'c'] },
      422,
      /^`inputs` must be .* got a list of 3 texts\. Send \[\["first"\]/,
    ],
    [PREDICT, { inputs: 3 }, 422, /^`inputs` must be a text, /],
  ])('is rejected with a message: %j with %j', async ([path, asked], change, status, message) => {
    const { post } = await served();
    const answer = await post(path, { ...asked, ...change });
    expect(answer.status).toBe(status);
    expect(answer.body.error.message ?? answer.body.error).toMatch(message);
  });

  it.each<[readonly [string, object], object]>([
    [COMPLETION, { logprobs: null, stop: ['a'], best_of: 1 }],
    [
      CHAT,
      { logprobs: false, top_logprobs: null, tools: [], functions: [], response_format: { type: 'text' } },
    ],
    [PREDICT, { truncation_direction: 'Right' }],
  ])('is accepted with a neutral value: %j with %j', async ([path, asked], change) => {
    const { post } = await served();
    expect(await post(path, { ...asked, ...change })).toMatchObject({ status: 200 });
  });
});

describe('a page', () => {
  it('of a named origin may call the server, also to ask whether it may send a key', async () => {
    const origin = 'https://example.com';
    const { ask } = await served({ origins: [origin], apiKey: 'key' });
    const headers = { origin, 'access-control-request-method': 'POST' };
    const preflight = await ask('/predict', { method: 'OPTIONS', headers });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    const other = await ask('/predict', {
      method: 'OPTIONS',
      headers: { ...headers, origin: 'https://x.y' },
    });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('of no origin may do so by default', async () => {
    const { ask } = await served();
    const { headers } = await ask('/v1/models', { headers: { origin: 'https://example.com' } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('at / has a form, and needs no key; other clients get a line of text', async () => {
    const { ask } = await served({ apiKey: 'key' });
    const { status, headers, body } = await ask('/', { headers: { accept: 'text/html' } });
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect(body).toContain('<select id="model">');
    expect((await ask('/')).body).toContain('/v1/models');
  });
});

it('reports a body that is not JSON, and names no folder of the machine in errors', async () => {
  const failing = () =>
    Promise.reject(new UserError('/home/me/runs/a/adapter.safetensors is damaged. See /v1/models.'));
  const { ask, post } = await served({}, { predict: failing });
  const headers = { 'content-type': 'application/json' };
  expect(await ask('/predict', { method: 'POST', headers, body: '{"inputs": ' })).toMatchObject({
    status: 400,
    body: { error: 'The request body is not valid JSON.', error_type: 'validation' },
  });
  const { body } = await post('/predict', { inputs: 'x' });
  expect(body.error).toBe('adapter.safetensors is damaged. See /v1/models.');
});

describe('Label Studio', () => {
  // From the tests of its example backend, with two labels.
  const label_config =
    '<View><Text name="text" value="$text" /><Choices name="topic" toName="text" choice="single">' +
    '<Choice value="sports" /><Choice value="R&amp;D" /></Choices></View>';
  const tasks = [
    { id: 7, data: { text: 'Today is a great day to play football.' } },
    { id: 8, data: { text: 'ab' } },
  ];
  const predict: Service['predict'] = async ({ inputs }) =>
    inputs.map(({ text }) => [
      { label: 'sports', score: text.length > 2 ? 0.9 : 0.3 },
      { label: 'R&D', score: text.length > 2 ? 0.1 : 0.7 },
    ]);
  const asked = { tasks, label_config, project: '1.1', model_version: 'cola', params: { login: null } };
  const choice = (...choices: string[]) => [
    { from_name: 'topic', to_name: 'text', type: 'choices', value: { choices } },
  ];

  it('connects, and gets a label and its score for each task', async () => {
    const { ask, post } = await served({}, { predict });
    expect(await ask('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    const setup = {
      project: '1.1',
      schema: label_config,
      hostname: 'http://localhost:8080',
      access_token: 't',
    };
    expect(await post('/setup', setup)).toMatchObject({ status: 200, body: { model_version: 'cola' } });
    expect(await post('/predict', asked)).toMatchObject({
      status: 200,
      body: {
        model_version: 'cola',
        results: [
          { result: choice('sports'), score: 0.9, model_version: 'cola' },
          { result: choice('R&D'), score: 0.7, model_version: 'cola' },
        ],
      },
    });
    expect((await post('/webhook', { action: 'ANNOTATION_CREATED', project: { id: 1 } })).status).toBe(201);
    expect(await post('/predict', { inputs: 'ab' })).toMatchObject({ status: 200 });
  });

  it.each([
    [
      { label_config: label_config.replace('single', 'multiple') },
      { results: [{ result: choice('sports') }, { result: choice('R&D'), score: 0.7 }] },
    ],
    [
      { label_config: label_config.replace('sports', 'sport') },
      { error: 'The model\'s label "sports" is not a choice of the project. Add it to <Choices>.' },
    ],
    [{ label_config: '<View/>' }, { error: expect.stringContaining('label_config needs <Text') }],
    [{ tasks: [{ data: { text: 3 } }] }, { error: 'tasks[0].data.text must be a text.' }],
    [{ tasks: 'x' }, { error: expect.stringContaining('expected a list of tasks') }],
  ])('sends %j', async (change, body) => {
    const { post } = await served({ maxBody: 10_000 }, { predict });
    expect(await post('/predict', { ...asked, ...change })).toMatchObject({ body });
  });
});

it("answers in the form of Hugging Face's inference API", async () => {
  const scores = [
    { label: 'good', score: 0.25 },
    { label: 'bad', score: 0.75 },
  ];
  const predict: Service['predict'] = async ({ inputs }) => inputs.map(() => scores);
  const { post } = await served({}, { predict });
  const sorted = [scores[1], scores[0]];
  // The bodies of promptfoo's huggingface:text-classification. Earlier versions send their whole config as parameters.
  const body = { inputs: 'x', parameters: { apiEndpoint: 'http://127.0.0.1/models/cola' } };
  expect(await post('/models/cola', body)).toMatchObject({ status: 200, body: [sorted] });
  expect(await post('/models/cola', { inputs: 'x', parameters: {} })).toMatchObject({ body: [sorted] });
  expect(await post('/models/cola', { inputs: ['x', 'y'] })).toMatchObject({ body: [sorted, sorted] });
  expect(await post('/models/cola', { inputs: [] })).toMatchObject({ status: 422 });
  const spans = await served({}, { predict: async () => [{ answer: 'a', score: 1, start: 0, end: 1 }] });
  expect(await spans.post('/models/m', { inputs: 'x' })).toMatchObject({ status: 422 });
});

describe('tools', () => {
  const tools = [{ type: 'function' as const, function: { name: 'find', parameters: { type: 'object' } } }];
  const parts = ['Yes. ', '<tool_call>\n{"name": "find", ', '"arguments": {"number": 7}}', '\n</tool_call>'];
  const called = { name: 'find', arguments: '{"number":7}' };
  const asked: unknown[] = [];
  const client = async () => {
    const { port } = await served(
      {},
      {
        async write({ prompt }, _, onText) {
          asked.push(prompt);
          for (const part of parts) onText?.(part);
          return { text: parts.join(''), finish: 'stop', promptTokens: 1, newTokens: 1 };
        },
      },
    );
    return new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
  };

  it("reach the model, and OpenAI's client gets its calls", async () => {
    const openai = await client();
    const answer = await openai.chat.completions.create({
      model: 'm',
      tools,
      messages: [
        { role: 'user', content: 'x' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'find', arguments: '{"number": 6}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'none' },
      ],
    });
    const { message, finish_reason } = answer.choices[0]!;
    expect(finish_reason).toBe('tool_calls');
    expect(message.content).toBe('Yes.');
    expect(message.tool_calls).toMatchObject([{ type: 'function', function: called }]);
    expect(asked.pop()).toEqual({
      tools,
      messages: [
        { role: 'user', content: 'x' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'find', arguments: { number: 6 } } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'none' },
      ],
    });
  });

  it('are streamed, and left out with tool_choice "none"', async () => {
    const openai = await client();
    const messages = [{ role: 'user' as const, content: 'x' }];
    const stream = openai.chat.completions.stream({ model: 'm', tools, messages });
    const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0]!;
    expect({ finish_reason, content: message.content }).toEqual({
      finish_reason: 'tool_calls',
      content: 'Yes. ',
    });
    expect(message.tool_calls).toMatchObject([{ function: called }]);
    const plain = await openai.chat.completions.create({ model: 'm', tools, messages, tool_choice: 'none' });
    expect(plain.choices[0]!.message.content).toBe(parts.join(''));
    expect(asked.pop()).toEqual(messages);
  });
});

it('a server with generating models only says so in routes about texts', async () => {
  const { post } = await served({}, { models: async () => [{ ...CARD, name: 'chat', writes: true }] });
  const { status, body } = await post('/predict', { inputs: 'x' });
  expect(status).toBe(422);
  expect(body.error).toMatch(
    'No served model predicts. Use /v1/completions to generate text and /embed for embeddings.',
  );
});

it.each([
  ['Bearer key', 200],
  ['bearer key', 200],
  ['BEARER  key', 200],
  ['Bearer Key', 401],
  ['key', 401],
  ['Basic key', 401],
  ['', 401],
])('a key shown as %j: %d', async (authorization, status) => {
  const { ask } = await served({ apiKey: 'key' });
  const answer = await ask('/v1/models', { headers: { authorization } });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
});

describe('the API description', () => {
  type Schema = { required: string[] };
  type Route = { security?: object[]; responses: Record<string, { content: Record<string, object> }> };
  interface Description {
    paths: Record<string, Record<string, Route>>;
    components: { schemas: Record<string, Schema>; securitySchemes?: object };
    security?: object[];
  }
  const described = async (options: Partial<AppOptions>) =>
    (await (await served(options)).ask('/openapi.json', { headers: { authorization: 'bearer key' } }))
      .body as Description;

  it('has every route with its error responses', async () => {
    const { paths } = await described({});
    const statuses = Object.entries(paths).map(([path, route]) => [
      path,
      Object.keys(Object.values(route)[0]!.responses).join(' '),
    ]);
    const all = '200 400 401 404 413 415 503 504';
    const ofTexts = '200 400 401 404 413 415 422 503 504';
    expect(Object.fromEntries(statuses)).toEqual({
      '/health': '200 503',
      '/metrics': '200 401',
      '/models/{model}': ofTexts,
      '/predict': ofTexts,
      '/embed': ofTexts,
      '/v1/embeddings': all,
      '/v1/models': '200 401 503 504',
      '/v1/models/{model}': '200 401 404 503 504',
      '/v1/completions': all,
      '/v1/audio/transcriptions': all,
      '/v1/chat/completions': all,
      '/v1/load_lora_adapter': all,
      '/v1/rerank': ofTexts,
      '/v2/rerank': ofTexts,
      '/v1/unload_lora_adapter': all,
    });
    expect(Object.keys(paths['/v1/completions']!.post!.responses[200]!.content)).toEqual([
      'application/json',
      'text/event-stream',
    ]);
  });

  it.each([
    ['/v1/completions', { prompt: 'x' }, 'Completion'],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] }, 'ChatCompletion'],
  ])('has the responses of %s', async (path, body, name) => {
    const { components } = await described({});
    const { post } = await served();
    const whole = await post(path, { model: 'm', ...body });
    expect(Object.keys(whole.body).sort()).toEqual([...components.schemas[name]!.required].sort());
    const streamed = await post(path, { model: 'm', ...body, stream: true });
    const chunk = JSON.parse(streamed.body.split('\n')[0].replace('data: ', ''));
    expect(Object.keys(chunk).sort()).toEqual([...components.schemas[`${name}Chunk`]!.required].sort());
  });

  it('requires a bearer token if the server has a key, except from load balancers', async () => {
    const { components, paths, security } = await described({ apiKey: 'key' });
    expect(components.securitySchemes).toEqual({ bearer: { type: 'http', scheme: 'bearer' } });
    expect([security, paths['/health']!.get!.security]).toEqual([[{ bearer: [] }], []]);
    expect(await described({})).not.toHaveProperty('security');
  });
});

describe('text vectors', () => {
  const models = async () => [{ ...CARD, name: 'search', embeds: true }];

  const lengthOne = (vector: number[]) => vector.map((x) => Math.fround(x / Math.hypot(...vector)));

  it('are numbers or bytes of length 1 for clients of OpenAI', async () => {
    const { post } = await served({}, { models });
    const asked = { model: 'search', input: ['a', 'b'] };
    const { status, body } = await post('/v1/embeddings', asked);
    expect(status).toBe(200);
    expect(body).toEqual({
      object: 'list',
      model: 'search',
      usage: { prompt_tokens: 4, total_tokens: 4 },
      data: [
        { object: 'embedding', index: 0, embedding: lengthOne([3, 4]) },
        { object: 'embedding', index: 1, embedding: lengthOne([3, 8]) },
      ],
    });
    const bytes = await post('/v1/embeddings', { ...asked, input: 'a', encoding_format: 'base64' });
    const buffer = Buffer.from(bytes.body.data[0].embedding, 'base64');
    expect([buffer.readFloatLE(0), buffer.readFloatLE(4)]).toEqual(lengthOne([3, 4]));
    const wrong = await post('/v1/embeddings', { ...asked, input: [1, 2] });
    expect(wrong.status).toBe(400);
    expect(wrong.body.error.message).toMatch('`input` must be a string, or a list of strings');
  });

  it("are read by OpenAI's client, as numbers, in base64, and by its own choice", async () => {
    const { port } = await served({ apiKey: 'key' }, { models });
    const client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'key', maxRetries: 0 });
    const asked = { model: 'search', input: ['a', 'b'] };
    const floats = await client.embeddings.create({ ...asked, encoding_format: 'float' });
    expect(floats.data.map(({ embedding }) => embedding)).toEqual([lengthOne([3, 4]), lengthOne([3, 8])]);
    expect(floats.usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
    // Without a format, the client requests base64 and decodes it. With a format, it returns the answer
    // unchanged.
    expect((await client.embeddings.create(asked)).data).toEqual(floats.data);
    const { data } = await client.embeddings.create({ ...asked, encoding_format: 'base64' });
    const bytes = Buffer.from(data[1]!.embedding as unknown as string, 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual(lengthOne([3, 8]));
    const unknown = client.embeddings.create({ ...asked, encoding_format: 'hex' as 'float' });
    await expect(unknown).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });

  it('have the format of text-embeddings-inference', async () => {
    const { post } = await served({}, { models });
    expect((await post('/embed', { inputs: 'a' })).body).toEqual([
      [expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)],
    ]);
    expect((await post('/embed', { inputs: ['a', 'b'], normalize: false })).body).toEqual([
      [3, 4],
      [3, 8],
    ]);
    const many = await post('/embed', { inputs: Array.from({ length: 33 }, () => 'a') });
    expect([many.status, many.body.error_type]).toEqual([413, 'validation']);
  });

  it('are not available from models that classify texts', async () => {
    const { post } = await served();
    const { status, body } = await post('/embed', { inputs: 'a' });
    expect(status).toBe(422);
    expect(body.error).toMatch('No served model computes embeddings. Use /predict for predictions.');
  });
});

describe('reranking', () => {
  it('sorts texts by the single score of a cross-encoder', async () => {
    const scores = [-1, 2, 0];
    const predict: Service['predict'] = async ({ inputs }) =>
      inputs.map((_, i) => [{ label: 'LABEL_0', score: scores[i]! }]);
    const { post } = await served({}, { predict });
    const { body } = await post('/v2/rerank', {
      model: 'm',
      query: 'q',
      documents: ['a', 'b', 'c'],
      top_n: 2,
    });
    expect(body.results).toEqual([
      { index: 1, relevance_score: expect.closeTo(0.88, 2) },
      { index: 2, relevance_score: 0.5 },
    ]);
  });

  it('rejects models with several labels', async () => {
    const { post } = await served(
      {},
      {
        predict: async () => [
          [
            { label: 'a', score: 1 },
            { label: 'b', score: 0 },
          ],
        ],
      },
    );
    const { status, body } = await post('/v2/rerank', { model: 'm', query: 'q', documents: ['a'] });
    expect(status).toBe(422);
    expect(body.error).toMatch(
      '`model` must be a cross-encoder with one score per pair, got a model with several labels. Use /predict.',
    );
  });
});

it('accepts a non-ASCII key, sent in UTF-8 or in Latin-1', async () => {
  const key = 'clé';
  const { ask } = await served({ apiKey: key });
  // fetch treats the characters of a header as Latin-1 bytes.
  const sent = [Buffer.from(key, 'utf8').toString('latin1'), key, 'cle'];
  const statuses = sent.map(async (text) => {
    const { status } = await ask('/v1/models', { headers: { authorization: `Bearer ${text}` } });
    return status;
  });
  expect(await Promise.all(statuses)).toEqual([200, 200, 401]);
});

it('describes its routes once, because thousands of requests fit into a packet', async () => {
  const { app, ask } = await served();
  const described = vi.spyOn(app, 'getOpenAPI31Document');
  for (let i = 0; i < 3; i++) expect((await ask('/openapi.json')).status).toBe(200);
  expect(described).toHaveBeenCalledTimes(1);
});

it('stops although a client does not read its response', async () => {
  const large = [{ label: 'x'.repeat(2 ** 25), score: 1 }];
  const { drain, port } = await served({}, { predict: async () => [large] });
  const socket = connect(port, '127.0.0.1');
  const body = '{"inputs": "text"}';
  const head = ['POST /predict HTTP/1.1', 'Host: x', 'Content-Type: application/json'];
  socket.write([...head, `Content-Length: ${body.length}`, '', body].join('\r\n'));
  // The start of the response has arrived; the rest is larger than the system's buffers.
  await once(socket, 'readable');
  await drain(0.1);
  socket.destroy();
});

it('keeps no timer for pipelined requests of a connection that has ended', async () => {
  // The timer of a request's time limit would keep a stopped server alive.
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const { ask, port } = await served({ maxSeconds: 1000 });
  await ask('/openapi.json');
  const before = timers();
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000));
  socket.pause();
  await vi.waitFor(() => expect(timers()).toBeGreaterThan(before + 20), 5000);
  socket.destroy();
  await vi.waitFor(() => expect(timers()).toBeLessThan(before + 20), 5000);
});

it.each([
  ['evil.example', 421],
  ['evil.example:8080', 421],
  ['127.0.0.1.evil.example', 421],
  ['localhost', 200],
  ['127.0.0.1:9', 200],
  ['[::1]:8080', 200],
])('a local server refuses hosts other than its own: %s', async (host, status) => {
  const { port } = await served({ isLocal: true });
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain(`HTTP/1.1 ${status}`);
});

it.each(['/predict', '/v1/completions'])('%s refuses a body that is not UTF-8', async (path) => {
  const { ask } = await served();
  const send = (...bytes: number[]) => {
    const key = path === '/predict' ? 'inputs' : 'prompt';
    const body = Buffer.concat([
      Buffer.from(`{"model": "cola", "${key}": "caf`),
      Buffer.from([...bytes, 0x22, 0x7d]),
    ]);
    return ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  };
  const { status, body } = await send(0xe9);
  expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('is not valid UTF-8')]);
  expect((await send(0xc3, 0xa9)).status).toBe(200);
});
