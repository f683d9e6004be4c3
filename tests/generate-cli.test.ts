import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TextGenerator } from '../src/program/generation/text-generator.ts';
import { open } from '../src/use/trained/node/open.ts';
import type { OpenedModel } from '../src/use/trained/opened-model.ts';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';
import { writeSmallGenerator } from './support/small-generator.ts';

const workspace = newWorkspace();

/** More positions than a test uses. */
const ENDLESS = { max_position_embeddings: 100_000, eos_token_id: null };

describe('adalora generate', () => {
  let opened: OpenedModel;
  let generator: TextGenerator;
  beforeAll(async () => {
    writeSmallGenerator(workspace.path('llama'), 'llama');
    writeSmallGenerator(workspace.path('endless'), 'llama', ENDLESS);
    opened = await open(workspace.path('llama'), { generates: true });
    generator = await opened.generator();
  });
  afterAll(() => opened.close());

  const run = (input = '', ...args: string[]) => workspace.runWith(input, 'generate', 'llama', ...args);

  it('prints the text of each prompt', async () => {
    const texts = [];
    for (const prompt of ['the cat', 'a'])
      texts.push((await generator.generate(prompt, { max_new_tokens: 9 })).text);
    const flags = ['--max-new-tokens', '9'];
    const printed = { code: 0, stdout: texts.map((text) => `${text}\n`).join(''), stderr: '' };
    expect(await run(undefined, '--prompt', 'the cat', '--prompt', 'a', ...flags)).toMatchObject(printed);
    expect(await run(undefined, 'the cat', '--prompt', 'a', ...flags)).toMatchObject(printed);
    expect(await run('the cat\n\na\r\n', ...flags)).toMatchObject(printed);
    expect(await run('the cat\na', ...flags, '--batch_size', '2')).toMatchObject(printed);
    expect((await run('the cat\na', ...flags, '--shard', '2/2')).stdout).toBe(`${texts[1]}\n`);
  });

  it('prints lines of JSON for prompts and conversations', async () => {
    const messages = [{ role: 'user', content: 'hi' }];
    const config = { num_beams: 3, num_return_sequences: 2, max_new_tokens: 7, no_repeat_ngram_size: 2 };
    const all = [];
    for (const prompt of ['the cat', messages])
      all.push(...(await generator.generateAll([prompt], config))[0]!);
    workspace.write('prompts.jsonl', `{"prompt":"the cat"}\n\n${JSON.stringify({ messages })}\n`);
    const flags = ['--num-beams', '3', '--max_new_tokens', '7', '--set', 'no_repeat_ngram_size=2'];
    const { code, stdout } = await run(
      undefined,
      '--file',
      'prompts.jsonl',
      '--jsonl',
      ...flags,
      '--set',
      'num_return_sequences=2',
    );
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(all.map((one) => ({ ...one, ids: [...one.ids] })));
  });

  it('passes the tools of a row, leaves out its last answer, and prints the calls', async () => {
    writeSmallGenerator(workspace.path('long'), 'llama', { max_position_embeddings: 512 });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const asked = [{ role: 'user', content: 'hi' }];
    const messages = [...asked, { role: 'assistant', content: 'an answer' }];
    const values = { type: 'object', properties: { x: { enum: [1, 2] } }, required: ['x'] };
    const schema = {
      type: 'object',
      properties: { name: { const: 'f' }, arguments: values },
      required: ['name', 'arguments'],
    };
    workspace.write('calls.jsonl', `${JSON.stringify({ tools, messages })}\n`);
    workspace.write('call.json', JSON.stringify(schema));
    const flags = ['--file', 'calls.jsonl', '--schema', 'call.json', '--max_new_tokens', '60', '--jsonl'];
    const stdout = await succeeds(workspace.run('generate', 'long', ...flags));
    const opened = await open(workspace.path('long'), { generates: true });
    const { text, ids } = await opened.generate(
      { messages: asked, tools },
      { max_new_tokens: 60, response_format: { type: 'json_schema', schema } },
    );
    await opened.close();
    const { name, arguments: given } = JSON.parse(text);
    expect(JSON.parse(stdout)).toMatchObject({ text, ids: [...ids], calls: [{ name, arguments: given }] });
  });

  it('writes JSON of a schema, or a choice', async () => {
    const schema = {
      type: 'object',
      properties: { n: { type: 'integer', minimum: 3, maximum: 12 } },
      required: ['n'],
    };
    workspace.write('schema.json', JSON.stringify(schema));
    workspace.write('pattern.json', '{"type": "string", "pattern": "a"}');
    const prompts = ['--prompt', 'the cat', '--prompt', 'a', '--batch_size', '2'];
    const lines = (await run(undefined, ...prompts, '--schema', 'schema.json')).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^\{"n": ?([3-9]|1[0-2])\}$/);
    expect((await run(undefined, '--prompt', 'a', '--choice', 'yes', '--choice', 'no')).stdout).toMatch(
      /^(yes|no)\n$/,
    );
    expect(await run(undefined, ...prompts, '--schema', 'pattern.json')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the schema at # has the keyword pattern, which cannot be kept'),
    });
  });

  it('applies the chat template, and samples by a seed', async () => {
    const config = { do_sample: true, temperature: 2, top_k: null, max_new_tokens: 12 };
    const messages = [
      { role: 'system', content: 'be' },
      { role: 'user', content: 'hi' },
    ];
    const { text } = await generator.generate(messages, config, { seed: 6 });
    const flags = ['--sample', '--temperature', '2', '--set', 'top_k=null', '--max-new-tokens', '12'];
    const said = await run('hi', '--chat', '--system', 'be', ...flags, '--seed', '6');
    expect(said).toMatchObject({ code: 0, stdout: `${text}\n` });
    expect((await run('hi', '--chat', '--system', 'be', ...flags)).stdout).not.toBe(said.stdout);
  });

  it('answers as trained, through the template if the run used messages', async () => {
    const row = (question: string, answer: string) =>
      JSON.stringify({
        messages: [
          { role: 'user', content: question },
          { role: 'assistant', content: answer },
        ],
      });
    workspace.write('chat.jsonl', `${row('hi', 'the cat')}\n${row('ho', 'cat')}\n`);
    const config = `model: llama
defaults: huggingface
task: causal_lm
method: lora
data: {train: chat.jsonl}
lora: {r: 8, lora_alpha: 32, target_modules: all-linear}
training: {learning_rate: 1e-2, max_steps: 40}
output: answers
`;
    workspace.write('chat.yaml', config);
    await succeeds(workspace.run('train', 'chat.yaml'));
    const prompts = ['--prompt', 'hi', '--prompt', 'ho'];
    for (const path of ['answers', 'answers/adapter']) {
      const { stdout } = await workspace.run('generate', path, ...prompts);
      expect(stdout).toBe('the cat\ncat\n');
    }
    expect((await workspace.run('generate', 'answers', ...prompts, '--no-chat')).stdout).not.toBe(
      'the cat\ncat\n',
    );
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops on %s, with a line end after the text so far',
    async (signal) => {
      const args = ['generate', 'endless', '--prompt', 'the cat', '--max-new-tokens', '90000'];
      const { code, stdout, stderr } = await workspace.interrupt(
        args,
        signal,
        (printed) => printed.length > 20,
      );
      expect({ code, stderr }).toEqual({ code: 130, stderr: 'Stopping (press again to quit at once).\n' });
      expect(stdout).toMatch(/.{20,}\n$/s);
    },
  );

  it('ends when the reader has closed', async () => {
    const { process: child, ended } = workspace.start([
      'generate',
      'endless',
      '--prompt',
      'a',
      '--max-new-tokens',
      '90000',
    ]);
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    await succeeds(ended);
  });
});

describe('adalora generate reports in one line', () => {
  beforeAll(() => writeSmallGenerator(workspace.path('llama'), 'llama'));

  const says = async (folder: string, args: string[], input = 'hi') => {
    const { code, stdout, stderr } = await workspace.runWith(input, 'generate', folder, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr;
  };

  it.each<[string, string[], string, string | RegExp]>([
    ['no prompts', [], '\n', 'standard input has no prompts.\n'],
    ['a prompt that is too long', [], 'a '.repeat(90), /^the prompt has 181 tokens/],
    [
      'a wrong key',
      ['--set', 'top=3'],
      'hi',
      'generation: top is not a known key, got 3. Did you mean top_k, top_p?\n',
    ],
    ['a key without effect', ['--temperature', '0.5'], 'hi', /^generation: temperature 0\.5 needs/],
    ['a chat that is none', ['--system', 'be'], 'hi', '`--system` applies to chats only. Add --chat.\n'],
    [
      'wrong lines',
      [],
      '{"prompt": 3}\n{"messages": []}',
      /^standard input:1 needs a string .*\nstandard input:2 needs a list of messages .*\n$/,
    ],
    ['a file that is not there', ['--file', 'lama'], '', 'lama does not exist. Did you mean llama?\n'],
  ])('%s', async (_, args, input, message) => {
    expect(await says('llama', args, input)).toMatch(message);
  });

  it('a prompt that is too long', async () => {
    await refuses(
      workspace.runWith(`a\n${'a '.repeat(90)}`, 'generate', 'llama'),
      /^standard input:2: the prompt has \d+ tokens.*\n$/,
    );
  });

  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /is not valid JSON/],
    ['JSON without end', '['.repeat(100_000), /is JSON nested deeper than 64 levels/],
    ['no object', '[]', /must be an object, got \[\]/],
    [
      'values that are none',
      '{"top_k": "x", "eos_token_id": [1e99], "max_length": 0}',
      /max_length .*\n.*top_k .*\n.*eos_token_id .*\n$/,
    ],
    ['more rows than memory', '{"num_beams": 1e9}', /num_beams must be/],
    ['what is not supported', '{"stop_strings": ["a"]}', /stop_strings is not supported/],
    [
      'tokens beyond the vocabulary',
      '{"forced_eos_token_id": 9999}',
      /forced_eos_token_id has token id 9999, but .* has 264/,
    ],
  ])('a generation_config.json with %s', async (_, content, message) => {
    workspace.write('llama/generation_config.json', content);
    const said = await says('llama', []);
    workspace.delete('llama', 'generation_config.json');
    expect(said).toMatch(message);
    expect(said).not.toMatch(/\n\s+at /);
  });

  it.each<[string, string, RegExp]>([
    ['that is none', '{% if %}', /^llama\/chat_template\.jinja is not .*\n$/],
    ['that refuses', "{{ raise_exception('no') }}", /refuses the conversation: "no"\.\n$/],
    [
      'that counts without end',
      '{% for i in range(10 ** 12) %}a{% endfor %}',
      /refuses the conversation: .*\.\n$/,
    ],
  ])('a chat template %s', async (_, template, message) => {
    workspace.write('llama/chat_template.jinja', template);
    const said = await says('llama', ['--chat']);
    workspace.delete('llama', 'chat_template.jinja');
    expect(said).toMatch(message);
  });

  it('a model that is not a language model', async () => {
    expect(await says('model', [])).toBe('model is a model of type bert. generate needs a language model.\n');
    expect(await says('run', [])).toMatch(/^run@main is neither/);
  });
});
