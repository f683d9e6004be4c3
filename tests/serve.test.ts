import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open } from '../src/use/trained/node/open.ts';
import { newWorkspace, refuses } from './support/commands.ts';
import { writeMadeAdapter } from './support/made-adapter.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyModel } from './support/tiny-model.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';
import type { Ended } from './support/workspace.ts';

const workspace = newWorkspace();

/**
 * Opening a model keeps this process busy for longer than the server's keep-alive timeout. So each request has its
 * own connection; otherwise it might use one that is just being closed.
 */
const ALONE = { connection: 'close' };
/** More tokens than a test uses. */
const ENDLESS = 15_000;

const METHODS = ['lora', 'adalora', 'svd_lora', 'bitfit', 'houlsby', 'pfeiffer'] as const;
const LABELS = ['a', 'b', 'c', 'd', 'e'];

interface Server {
  url: string;
  process: ChildProcess;
  ended: Promise<Ended>;
  /** Lines of its log so far. */
  lines: Record<string, unknown>[];
  /** The first line of a kind, now or later. */
  line(of: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

/** Starts `adalora serve`, and waits until it listens. */
async function serve(args: string[], env: Record<string, string> = {}): Promise<Server> {
  const { process: child, ended } = workspace.start(['serve', ...args, '--port', '0'], { env });
  const lines: Record<string, unknown>[] = [];
  let text = '';
  let wake = () => {};
  child.stdout!.on('data', (data: string) => {
    text += data;
    const whole = text.split('\n');
    text = whole.pop()!;
    lines.push(...whole.map((line) => JSON.parse(line)));
    wake();
  });
  const line: Server['line'] = async (of) => {
    for (;;) {
      const found = lines.find(of);
      if (found) return found;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const isUp = line(({ event }) => event === 'listening');
  const first = await Promise.race([isUp, ended]);
  if (!('url' in first)) throw new Error((first as Ended).stderr);
  return { url: first.url as string, process: child, ended, lines, line };
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...ALONE, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const get = (url: string, headers: Record<string, string> = {}) =>
  fetch(url, { headers: { ...ALONE, ...headers } });

const clientOf = (server: Server, apiKey = 'none') =>
  new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0, defaultHeaders: ALONE });

async function ask(server: Server, body: object): Promise<unknown> {
  const response = await post(`${server.url}/predict`, body);
  return response.json();
}

describe('adapters of an encoder', () => {
  const make = (name: string, made: Parameters<typeof writeMadeAdapter>[2]) => {
    const folder = workspace.path('adapters', name);
    mkdirSync(folder, { recursive: true });
    writeMadeAdapter(folder, workspace.path('model'), made);
  };
  let server: Server;

  beforeAll(async () => {
    for (let i = 0; i < 6; i++)
      make(`a${i}`, { seed: i, method: METHODS[i], rank: 1 + i, labels: LABELS.slice(0, 2 + (i % 4)) });
    make('pairs', { seed: 6, data: { text: 'text', text_pair: 'pair', label: 'label' } });
    make('tags', { seed: 7, task: 'token_classification', labels: ['O', 'B-X', 'I-X'], data: {} });
    make('answers', { seed: 8, task: 'question_answering', labels: [], data: {} });
    make('scores', { seed: 9, task: 'regression', labels: [] });
    make('embeddings', { seed: 10, modules: ['word_embeddings'] });
    make('of-other-weights', { seed: 11, base_digest: '0123456789abcdef' });
    writeTinyModel(workspace.path('other-base'), { hidden_size: 16 });
    writeMadeAdapter(workspace.path('adapters', 'of-another-base'), workspace.path('other-base'), {
      seed: 1,
    });
    mkdirSync(workspace.path('adapters', 'Damaged'));
    workspace.write('adapters/Damaged/adapter_config.json', '{"peft_type": "LORA"');
    server = await serve(['adapters', '--allow-loading', '--slots', '4']);
  });
  afterAll(() => server.process.kill());

  it('are listed with their tasks and labels, and invalid ones are reported', async () => {
    const client = clientOf(server);
    const ids = (await client.models.list()).data.map(({ id }) => id);
    const others = ['answers', 'embeddings', 'pairs', 'scores', 'tags'];
    expect(ids).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', ...others]);
    expect(await client.models.retrieve('a1')).toMatchObject({ parent: 'model', labels: ['a', 'b', 'c'] });
    const refused = server.lines.filter(({ event }) => event === 'refused').map(({ reason }) => reason);
    expect(refused).toEqual([
      expect.stringContaining('is not valid JSON'),
      expect.stringContaining('but model is served. Serve it with its own base model.'),
      expect.stringMatching(
        /was trained with another model than the one in .* \(fingerprint 0123456789ab, not \w{12}\)/,
      ),
    ]);
    const notes = server.lines.filter(({ note }) => note !== undefined).map(({ note }) => note);
    expect(notes).toEqual([
      expect.stringMatching(/embeddings has bert\.embeddings\.word_embeddings\.weight trained in full/),
    ]);
  });

  it('answer mixed requests as each of them alone', async () => {
    const texts = tinyRows(40, 5).map(({ text }) => text);
    // One of them has a session of its own.
    const models = texts.map((_, i) => (i % 5 === 3 ? 'embeddings' : `a${(i * i) % 6}`));
    const answers = await Promise.all(texts.map((inputs, i) => ask(server, { inputs, model: models[i] })));
    for (const model of new Set(models)) {
      const isOwn = (_: unknown, i: number) => models[i] === model;
      const own = texts.filter(isOwn).map((text) => ({ text }));
      const alone = await open(workspace.path('adapters', model));
      const place = answers.filter(isOwn).values();
      for await (const { label, probabilities } of alone.predict(own)) {
        const scores = place.next().value as { label: string; score: number }[];
        expect(scores[0]!.label).toBe(label);
        // Sums of products in another order, and a softmax of them.
        for (const { label, score } of scores) expect(score).toBeCloseTo(probabilities[label]!, 5);
      }
      await alone.close();
    }
  });

  it.each<[string, unknown, number, RegExp]>([
    ['a model that there is not', { inputs: 'x', model: 'a9' }, 404, /"a9" is not served\. Did you mean a0/],
    ['a model with a path in it', { inputs: 'x', model: '../model' }, 404, /"..\/model" is not served/],
    ['no model where there are many', { inputs: 'x' }, 422, /^`model` is required/],
    [
      'one text for pairs',
      { inputs: 'x', model: 'pairs' },
      422,
      /inputs must be pairs of texts, got one text/,
    ],
    [
      'a pair for single texts',
      { inputs: ['x', 'y'], model: 'a0' },
      422,
      /^inputs must be one text each, got a pair\. A list of single texts is \[\["first"\]/,
    ],
    ['a pair for tags', { inputs: ['x', 'y'], model: 'tags' }, 422, /must be one text each, got a pair/],
    [
      'a text that must not be cut',
      { inputs: 'cat '.repeat(99), model: 'a0', truncate: false },
      422,
      /has 101 tokens/,
    ],
    ['100 MB', `"${'x'.repeat(100 * 2 ** 20)}"`, 413, /more than 2097152 bytes/],
  ])('reject %s, and continue', async (_, body, status, message) => {
    // A connection that closes after the response is closed before all of a large body has been sent.
    const response = await post(`${server.url}/predict`, body, { connection: 'keep-alive' });
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: string }).error).toMatch(message);
    expect(await ask(server, { inputs: 'x', model: 'a0' })).toHaveLength(2);
  });

  it.each([{ 'content-type': 'text/plain' }, { 'content-type': 'application/x-www-form-urlencoded' }])(
    'reject a body declared as %j',
    async (headers) => {
      const response = await post(`${server.url}/predict`, { inputs: 'x', model: 'a0' }, headers);
      expect(response.status).toBe(415);
      const error = 'Content-Type must be application/json.';
      expect(await response.json()).toMatchObject({ error });
    },
  );

  it('answer a thousand clients at once, or ask them to retry', async () => {
    const alone = (await ask(server, { inputs: 'the cat.', model: 'a0' })) as { score: number }[];
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => post(`${server.url}/predict`, { inputs: 'the cat.', model: 'a0' })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    for (const answer of answers) {
      // Sums of products in another order.
      if (answer.status === 200)
        expect(await answer.json()).toEqual(
          alone.map((one) => ({ ...one, score: expect.closeTo(one.score, 5) })),
        );
      else expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(statuses).toContain(200);
  });

  it('reject generation', async () => {
    const client = clientOf(server);
    for (const model of ['a0', 'embeddings']) {
      const refused = client.completions.create({ model, prompt: 'x' });
      await expect(refused).rejects.toThrow(/400 \w+ is a model for .*, which does not generate text/);
    }
  });

  it('are loaded and unloaded with their folders, complete or not at all', async () => {
    const source = workspace.path('adapters', 'a2');
    cpSync(source, workspace.path('elsewhere'), { recursive: true });
    const half = workspace.path('adapters', 'new');
    // Never complete when the server scans.
    cpSync(source, workspace.path('half'), { recursive: true });
    truncateSync(workspace.path('half', 'adapter_model.safetensors'), 1000);
    renameSync(workspace.path('half'), half);
    await server.line(({ event, name }) => event === 'refused' && name === 'new');
    expect(await ask(server, { inputs: 'x', model: 'new' })).toMatchObject({ error_type: 'not_found' });
    rmSync(half, { recursive: true });
    renameSync(workspace.path('elsewhere'), half);
    await server.line(({ event, name }) => event === 'loaded' && name === 'new');
    expect(await ask(server, { inputs: 'the cat.', model: 'new' })).toEqual(
      await ask(server, { inputs: 'the cat.', model: 'a2' }),
    );
    make('new', { seed: 77, rank: 9, labels: ['x', 'y', 'z', 'u', 'v', 'w'] });
    await server.line(({ event, name }) => event === 'reloaded' && name === 'new');
    expect(await ask(server, { inputs: 'the cat.', model: 'new' })).toHaveLength(6);
    rmSync(half, { recursive: true });
    await server.line(({ event, name }) => event === 'unloaded' && name === 'new');
    expect(await ask(server, { inputs: 'x', model: 'new' })).toMatchObject({ error_type: 'not_found' });
  });

  it('answer while adapters that misbehave are read and refused', async () => {
    const bad = (name: string, change: (folder: string, config: object) => void) => {
      const folder = workspace.path('misbehaving', name);
      cpSync(workspace.path('adapters', 'a0'), folder, { recursive: true });
      change(folder, JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')));
      renameSync(folder, workspace.path('adapters', name));
    };
    const withPattern = (pattern: object) => (folder: string, config: object) =>
      writeFileSync(
        join(folder, 'adapter_config.json'),
        JSON.stringify({ ...config, rank_pattern: pattern, alpha_pattern: pattern }),
      );
    const many = (key: (i: number) => string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [key(i), 1]));
    bad('bad-1', withPattern(many((i) => `(?:(?:[a-z.]?){50}){50}${i}!`, 2000)));
    bad('bad-2', (folder) => truncateSync(join(folder, 'adapter_model.safetensors'), 2 ** 33));
    bad('bad-3', (folder) => {
      rmSync(join(folder, 'adapter_model.safetensors'));
      spawnSync('mkfifo', [join(folder, 'adapter_model.safetensors')]);
    });
    bad('endless-1', withPattern({ '(?=.)(?:[a-z0-9._]+)+!': 1 }));
    bad('endless-2', withPattern(many((i) => `layer.${i}.attention.self.query`, 20_000)));
    const names = ['bad-1', 'bad-2', 'bad-3', 'endless-1', 'endless-2'];
    const readAt = (name: string) => server.lines.find((line) => line.name === name);
    while (!names.every(readAt))
      expect((await post(`${server.url}/predict`, { inputs: 'the cat.', model: 'a1' })).status).toBe(200);
    const [patterns, size, pipe, ...loaded] = names.map(readAt);
    expect(patterns).toMatchObject({ event: 'refused', reason: expect.stringContaining('steps') });
    expect(size).toMatchObject({ event: 'refused', reason: expect.stringContaining('maximum of 67108864') });
    expect(pipe).toMatchObject({ event: 'refused', reason: expect.stringContaining('device') });
    expect(loaded).toMatchObject([{ event: 'loaded' }, { event: 'loaded' }]);
    for (const name of names) rmSync(workspace.path('adapters', name), { recursive: true });
    await server.line(({ event, name }) => event === 'unloaded' && name === 'endless-2');
  });

  it('are loaded and unloaded by clients, only from the folders', async () => {
    const change = (what: string, body: object) => post(`${server.url}/v1/${what}_lora_adapter`, body);
    const text = async (response: Promise<Response>) => (await response).text();
    expect(await text(change('load', { lora_name: 'again', lora_path: 'a5' }))).toMatch(/'again' added/);
    expect(await ask(server, { inputs: 'the cat.', model: 'again' })).toEqual(
      await ask(server, { inputs: 'the cat.', model: 'a5' }),
    );
    expect(await text(change('load', { lora_name: 'again', lora_path: 'a5' }))).toMatch(
      /again is already loaded/,
    );
    expect(await text(change('load', { lora_name: '../x', lora_path: 'a5' }))).toMatch(
      /lora_name must be at most 128 letters/,
    );
    expect(await text(change('load', { lora_name: 'x', lora_path: '../model' }))).toMatch(
      /inside the served folders/,
    );
    expect(await text(change('unload', { lora_name: 'again' }))).toMatch(/'again' removed/);
    expect((await change('unload', { lora_name: 'again' })).status).toBe(404);
  });

  it('have an API description, and metrics', async () => {
    const document = (await (await get(`${server.url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/predict', '/v1/models', '/v1/completions', '/v1/chat/completions']),
    );
    const metrics = await (await get(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/adalora_requests_total\{route="\/predict",status="200"\} \d+/);
    expect(metrics).toMatch(/adalora_adapters 11/);
    expect(await (await get(`${server.url}/health`)).json()).toEqual({ status: 'ok' });
    expect((await get(`${server.url}/nothing`)).status).toBe(404);
    const line = await server.line(({ path, status }) => path === '/predict' && status === 200);
    expect(line).toMatchObject({
      method: 'POST',
      model: expect.any(String),
      rows: 1,
      ms: expect.any(Number),
    });
  });

  it('finish pending requests when the server is stopped, and end', async () => {
    const answers = tinyRows(20, 3).map(({ text }) =>
      post(`${server.url}/predict`, { inputs: text, model: 'a1' }),
    );
    await Promise.race(answers);
    // Connections without a request, or with half of one, do not block the end.
    const port = Number(new URL(server.url).port);
    const silent = ['', 'GET /health HTTP/1.1\r\nHo'].map((text) => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write(text);
      return socket;
    });
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    server.process.kill('SIGTERM');
    const statuses = (await Promise.allSettled(answers)).map((one) =>
      one.status === 'fulfilled' ? one.value.status : 0,
    );
    // Later connections are refused.
    expect(statuses.filter((status) => ![200, 503, 0].includes(status))).toEqual([]);
    expect(statuses).toContain(200);
    expect((await server.ended).code).toBe(0);
  });

  it('do not keep a server that is stopped alive if its thread never ends', async () => {
    const pipe = workspace.path('pipe');
    spawnSync('mkfifo', [pipe]);
    const preload = { NODE_OPTIONS: `--import ${new URL('./support/stuck-thread.mjs', import.meta.url)}` };
    const servers = await Promise.all(
      [preload, { ...preload, STUCK_PIPE: pipe }].map((env) => serve(['adapters'], env)),
    );
    for (const { process } of servers) process.kill('SIGTERM');
    const [computing, waiting] = await Promise.all(servers.map(({ ended }) => ended));
    expect(computing).toMatchObject({ code: 0 });
    expect(waiting).toMatchObject({ code: null, signal: 'SIGTERM' });
    for (const { lines } of servers) expect(lines.map(({ event }) => event)).toContain('stopped');
  });

  it('fail with a reason when the thread of the models ends, and the server ends too', async () => {
    const dying = await serve(['adapters'], {
      NODE_OPTIONS: `--import ${new URL('./support/stuck-thread.mjs', import.meta.url)}`,
      DYING_THREAD: '1',
    });
    const response = await post(`${dying.url}/predict`, { inputs: 'the cat', model: 'a0' });
    const error = 'the serving thread ended with code 3';
    expect([response.status, await response.json()]).toEqual([500, expect.objectContaining({ error })]);
    const { code, stderr } = await dying.ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(error) });
    expect(dying.lines).not.toContainEqual(expect.objectContaining({ note: 'a thread did not end' }));
  });

  it('do not keep a server that is stopped alive if a session cannot be released', async () => {
    const failing = await serve(['adapters'], {
      NODE_OPTIONS: `--import ${new URL('./support/failing-engine.mjs', import.meta.url)}`,
      ENGINE_FAILS: JSON.stringify({ release: { times: 99 } }),
    });
    expect(await ask(failing, { inputs: 'the cat', model: 'a0' })).toHaveLength(2);
    failing.process.kill('SIGTERM');
    const ended = await failing.ended;
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot release') });
    expect(failing.lines).not.toContainEqual(expect.objectContaining({ note: 'a thread did not end' }));
  });

  it('are no longer served if the log has no reader: the server ends gracefully', async () => {
    const unread = await serve(['adapters']);
    unread.process.stdout!.destroy();
    const answers = tinyRows(20, 3).map(({ text }) =>
      post(`${unread.url}/predict`, { inputs: text, model: 'a1' }),
    );
    await Promise.allSettled(answers);
    expect(await unread.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  });
});

describe('adapters of a decoder', () => {
  let server: Server;
  let client: OpenAI;

  beforeAll(async () => {
    const base = workspace.path('llama');
    writeTinyTextModel(base, 'llama', { max_position_embeddings: ENDLESS + 5000 });
    for (const [i, method] of METHODS.slice(0, 3).entries()) {
      const targets = 'all-linear' as const;
      const data = { messages: 'messages' };
      const made = { seed: i, method, rank: 2 + i, task: 'causal_lm' as const, labels: [], data, targets };
      writeMadeAdapter(workspace.path('chats', `c${i}`), base, made);
    }
    writeMadeAdapter(workspace.path('chats', 'whole'), base, {
      seed: 9,
      task: 'causal_lm',
      labels: [],
      data: { messages: 'messages' },
      targets: 'all-linear',
      modules: ['lm_head', 'embed_tokens'],
    });
    server = await serve(
      ['chats', '--model', 'llama', '--api-key-env', 'KEY', '--max-queue', '12', '--max-batch', '4'],
      {
        KEY: 'secret',
      },
    );
    client = clientOf(server, 'secret');
  });
  afterAll(() => server.process.kill());

  const greedy = { temperature: 0, max_tokens: 8 };
  const messages = [{ role: 'user' as const, content: 'Where do swallows go?' }];

  it('require the key', async () => {
    const stranger = clientOf(server, 'wrong');
    await expect(stranger.models.list()).rejects.toThrow(/401 Authorization must be/);
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(['llama', 'c0', 'c1', 'c2', 'whole']);
  });

  it("generate one text even if the model's files set beams and several texts", async () => {
    const asked = { model: 'c1', prompt: 'The cat', ...greedy };
    const before = await client.completions.create(asked);
    workspace.write('llama/generation_config.json', '{"num_beams": 3, "num_return_sequences": 2}');
    const { choices, usage } = await client.completions.create(asked);
    workspace.delete('llama', 'generation_config.json');
    expect([choices, usage]).toEqual([before.choices, before.usage]);
  });

  it('stream the same text as at once', async () => {
    const asked = { model: 'c1', messages, ...greedy };
    const whole = await client.chat.completions.create(asked);
    const stream = await client.chat.completions.create({
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: unknown;
    let finish: string | null = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0]!.message.content);
    expect([finish, usage]).toEqual([whole.choices[0]!.finish_reason, whole.usage]);
  });

  it('accept several prompts, choices, seeds and stop texts', async () => {
    const asked = { model: 'c2', prompt: ['The cat', 'A dog'], n: 2, max_tokens: 6, seed: 5 };
    const [first, again] = [await client.completions.create(asked), await client.completions.create(asked)];
    expect(first.choices.map(({ text }) => text)).toEqual(again.choices.map(({ text }) => text));
    expect(first.choices).toHaveLength(4);
    const { choices } = await client.completions.create({ model: 'c2', prompt: 'The cat', ...greedy });
    const stop = choices[0]!.text.slice(3, 5);
    const stopped = await client.completions.create({ model: 'c2', prompt: 'The cat', ...greedy, stop });
    expect(stopped.choices[0]).toMatchObject({
      text: choices[0]!.text.slice(0, choices[0]!.text.indexOf(stop)),
      finish_reason: 'stop',
    });
  });

  it.each<[string, object, RegExp]>([
    ['a model that there is not', { model: 'c9' }, /404 model: "c9" is not served/],
    [
      'a prompt that is too long',
      { prompt: 'cat '.repeat(40_000) },
      /400 the prompt has \d+ tokens, but needs fewer than/,
    ],
    ['tokens beyond the vocabulary', { prompt: [100_000] }, /400 the prompt has token id .* Use ids/],
  ])('reject %s', async (_, change, message) => {
    const asked = { model: 'c0', prompt: 'The cat', max_tokens: 4, ...change };
    await expect(client.completions.create(asked)).rejects.toThrow(message);
  });

  it.each(['llama', 'c0'])('reject predictions: %s', async (model) => {
    const response = await post(
      `${server.url}/predict`,
      { inputs: 'x', model },
      { Authorization: 'Bearer secret' },
    );
    const error = `${model} generates text and does not predict. Use /v1/completions.`;
    expect([response.status, await response.json()]).toEqual([422, { error, error_type: 'validation' }]);
  });

  it.each<[string, number, (socket: Socket) => Promise<unknown>]>([
    ['while a text is written', 1, (socket) => once(socket, 'data')],
    ['with half a body sent', 0.5, () => new Promise((resolve) => setTimeout(resolve, 200))],
  ])('drop a client that disconnects %s', async (_, share, until) => {
    const gone = () => server.lines.filter(({ status }) => status === 499).length;
    const before = gone();
    const body = JSON.stringify({ model: 'c0', prompt: 'The', max_tokens: ENDLESS, stream: true });
    const headers = ['POST /v1/completions HTTP/1.1', 'Host: x', 'Authorization: Bearer secret'];
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(
      [...headers, 'Content-Type: application/json', `Content-Length: ${body.length}`, '', ''].join('\r\n'),
    );
    socket.write(body.slice(0, body.length * share));
    await until(socket);
    socket.destroy();
    await server.line(() => gone() > before);
    expect(await client.completions.create({ model: 'c0', prompt: 'The', ...greedy })).toBeTruthy();
    const metrics = await get(`${server.url}/metrics`, { Authorization: 'Bearer secret' });
    expect(await metrics.text()).toMatch(/adalora_requests_under_way 0/);
  });

  it('report that too many requests wait', async () => {
    // The queue does not advance until a request was refused, however slowly they arrive.
    const endless = { model: 'c0', prompt: 'The', max_tokens: ENDLESS, stream: true } as const;
    const writing = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const stream = await client.completions.create(endless);
        await stream[Symbol.asyncIterator]().next();
        return stream;
      }),
    );
    const asked = { model: 'c0', prompt: 'The cat', max_tokens: 12, temperature: 1 };
    const all = Array.from({ length: 40 }, () =>
      post(`${server.url}/v1/completions`, asked, { Authorization: 'Bearer secret' }),
    );
    await Promise.any(all.map(async (one) => expect((await one).status).toBe(503)));
    for (const { controller } of writing) controller.abort();
    const ends = await Promise.all(all);
    const refused = ends.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true);
    expect(ends.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(12);
  });
});

describe('adapters of an encoder-decoder', () => {
  const TASK = {
    task: 'seq2seq_lm',
    labels: [],
    data: { source: 'a', target: 'b', source_prefix: 'say: ' },
  } as const;
  let server: Server;

  beforeAll(async () => {
    const base = workspace.path('bart');
    writeTinyTextModel(base, 'bart');
    for (const [seed, method] of (['lora', 'houlsby'] as const).entries())
      writeMadeAdapter(workspace.path('writers', `w${seed}`), base, {
        ...TASK,
        seed,
        method,
        targets: 'all-linear',
      });
    server = await serve(['writers', '--model', 'bart']);
  });
  afterAll(() => server.process.kill());

  it("search with the beams in the model's files, and return the best text", async () => {
    const beams = { num_beams: 3, num_return_sequences: 2, decoder_start_token_id: 2, eos_token_id: 2 };
    workspace.write('bart/generation_config.json', JSON.stringify(beams));
    // A server reads these files when it starts.
    const other = await serve(['writers', '--model', 'bart']);
    const client = clientOf(other);
    const asked = { model: 'w0', prompt: 'The cat sat', temperature: 0, max_tokens: 7 };
    const { choices } = await client.completions.create(asked);
    const alone = await open(workspace.path('writers', 'w0'), { generates: true });
    const { text } = await alone.generate('say: The cat sat', { max_new_tokens: 7 });
    await alone.close();
    workspace.delete('bart', 'generation_config.json');
    other.process.kill();
    expect(choices.map(({ text }) => text)).toEqual([text]);
  });
});

it.concurrent.each<[string, string[], RegExp]>([
  ['a folder that there is not', ['nowhere'], /nowhere does not exist; it should be a folder of adapters/],
  ['a folder without adapters', ['model'], /has no adapter that names its base model/],
  [
    'a variable without a key',
    ['model', '--model', 'model', '--api-key-env', 'NO_SUCH'],
    /names an environment variable that is not set/,
  ],
])('%s is reported', async (_, args, message) => {
  await refuses(workspace.run('serve', ...args), message);
});
