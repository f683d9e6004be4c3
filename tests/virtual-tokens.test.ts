import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disk } from '../src/input/formats/node/folder-files.ts';
import { adapterIn } from '../src/use/serving/find-adapters.ts';
import { PackedCache } from '../src/use/serving/packed-cache.ts';
import { readContent, servedAdapter } from '../src/use/serving/served-adapter.ts';
import { BaseModel } from '../src/use/serving/served-base.ts';
import { Serving } from '../src/use/serving/serving.ts';
import { models } from '../src/use/trained/node/load-model.ts';
import { readSafetensors } from './support/safetensors-file.ts';
import { succeeds } from './support/succeeds.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';
import { eventsOf, UNSCORED, Workspace } from './support/workspace.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
  for (const family of ['gpt2', 'llama'] as const)
    writeTinyTextModel(workspace.path(family), family, { initializer_range: 0.1 });
  for (const [name, count, seed] of [
    ['train', 96, 1],
    ['dev', 24, 2],
  ] as const) {
    const rows = tinyRows(count, seed).map(({ text, label }) =>
      JSON.stringify({ prompt: `${text} That is`, completion: ` ${label}.` }),
    );
    workspace.write(`${name}.jsonl`, `${rows.join('\n')}\n`);
  }
  workspace.write(
    'prompts.yaml',
    `model: llama
task: causal_lm
data: {train: train.jsonl, validation: dev.jsonl, max_length: 48}
defaults: huggingface
training: {num_train_epochs: 6, per_device_train_batch_size: 8, logging_steps: 3}
prompt_tuning: {num_virtual_tokens: 4}
prefix_tuning: {num_virtual_tokens: 4}
`,
  );
});
afterAll(() => workspace.remove());

const set = (...settings: string[]) => settings.flatMap((setting) => ['--set', setting]);
const train = (...settings: string[]) => workspace.run('train', 'prompts.yaml', ...set(...settings));
const adapterOf = (run: string) =>
  readSafetensors(workspace.path(run, 'adapter', 'adapter_model.safetensors'));

const VARIANTS: [string, string[]][] = [
  ['prompt_tuning', ['prompt_tuning.prompt_tuning_init=SAMPLE_VOCAB']],
  ['prefix_tuning', []],
  ['prefix_tuning', ['prefix_tuning.prefix_projection=true', 'prefix_tuning.encoder_hidden_size=8']],
];

describe.each(VARIANTS)('%s of a language model with %j', (method, settings) => {
  const name = `${method}${settings.length}`;
  beforeAll(async () => {
    await succeeds(train(`method=${method}`, ...settings, `output=${name}`));
  });

  it('lowers the loss', () => {
    const evaluations = eventsOf(workspace.events(name), 'evaluation').map(
      ({ eval_loss }) => eval_loss as number,
    );
    expect(evaluations.at(-1)!).toBeLessThan(evaluations[0]! - 0.05);
    const [start] = eventsOf(workspace.events(name), 'start');
    expect(start!.trainable_parameters).toBeGreaterThan(0);
  });

  it('resumes after a kill to the same bytes', async () => {
    const all = [`method=${method}`, ...settings, UNSCORED, `output=${name}-parts`, 'training.save_steps=10'];
    const parts = ['train', 'prompts.yaml', ...set(...all)];
    await workspace.killAt({ type: 'checkpoint', step: 20 }, parts);
    await succeeds(workspace.run(...parts, '--resume'));
    const file = ['adapter', 'adapter_model.safetensors'];
    expect(workspace.read(`${name}-parts`, ...file).equals(workspace.read(name, ...file))).toBe(true);
  });

  it('is evaluated and writes as in its run', async () => {
    const { metrics } = eventsOf(workspace.events(name), 'finish')[0]!;
    const scores = JSON.parse(await succeeds(workspace.run('eval', name, 'dev.jsonl', '--json')));
    // The saved adapter of a projection is rounded once more.
    expect(Math.abs(scores.eval_loss - metrics.eval_loss!)).toBeLessThan(1e-5);
    const prompts = ['a bright story That is', 'That is'];
    const written = async (...args: string[]) =>
      await succeeds(workspace.run('generate', ...args, '--max-new-tokens', '6', '--jsonl'));
    const flags = prompts.flatMap((prompt) => ['--prompt', prompt]);
    const together = await written(name, ...flags);
    expect(together).not.toBe(await written('llama', ...flags));
    const idsOf = (lines: string, row: number) => JSON.parse(lines.split('\n')[row]!).ids;
    const alone = await written(name, '--prompt', prompts[1]!);
    expect(idsOf(together, 1)).toEqual(idsOf(alone, 0));
  });

  it('is planned', async () => {
    const given = set(`method=${method}`, ...settings, 'output=planned');
    const plan = JSON.parse(await succeeds(workspace.run('plan', 'prompts.yaml', ...given, '--json')));
    const [start] = eventsOf(workspace.events(name), 'start');
    expect(plan.trainable_parameters ?? plan.trainableParameters).toBe(start!.trainable_parameters);
    expect(plan.memory_mb ?? plan.memoryMb).toBeGreaterThan(0);
  });

  it('is served from a session of its own', async () => {
    const base = await BaseModel.open(models, workspace.path('llama'), 'float32');
    const limits = { maxRows: 4, maxQueued: 4 };
    const serving = new Serving(base, {
      rows: { ...limits, maxTokens: 1024, maxWait: 0, batches: base.batches },
      decoding: limits,
    });
    const found = adapterIn(disk, workspace.path(name))!;
    const read = () => readContent(found, base);
    const model = await servedAdapter(found, 'a', base, new PackedCache(2 ** 20), read);
    await serving.add(model);
    const { text } = await serving.generate(model, 'That is', { max_new_tokens: 6 });
    const flags = ['--prompt', 'That is', '--max-new-tokens', '6', '--jsonl'];
    const written = await succeeds(workspace.run('generate', name, ...flags));
    expect(text).toBe(JSON.parse(written.split('\n')[0]!).text);
    await serving.close();
    base.close();
  });

  it('is not merged or exported to ONNX', async () => {
    const merged = await workspace.run('export', name, '--as', 'merged', '-o', 'merged');
    expect(merged.code).toBe(2);
    expect(merged.stderr).toContain('virtual tokens are part of no weight');
    const exported = await workspace.run('export', name, '--as', 'onnx', '-o', 'onnx');
    expect(exported.code).toBe(2);
    expect(exported.stderr).toContain('puts 4 virtual tokens before every text');
  });
});

it('starts from the embeddings of a text, repeated', async () => {
  const text =
    'prompt_tuning: {num_virtual_tokens: 9, prompt_tuning_init: TEXT, prompt_tuning_init_text: the cat}';
  workspace.write('text.yaml', `${workspace.read('prompts.yaml')}`.replace(/prompt_tuning: .*/, text));
  const given = set(
    'method=prompt_tuning',
    'output=text',
    'training.learning_rate=1e-30',
    'training.max_steps=1',
  );
  await succeeds(workspace.run('train', 'text.yaml', ...given));
  const { shape, data } = adapterOf('text').get('prompt_embeddings')! as {
    shape: number[];
    data: Float32Array;
  };
  expect(shape[0]).toBe(9);
  const rows = Array.from({ length: 9 }, (_, i) =>
    [...data.subarray(i * shape[1]!, (i + 1) * shape[1]!)].join(),
  );
  const period = new Set(rows).size;
  expect(period).toBeGreaterThan(1);
  expect(period).toBeLessThan(9);
  rows.forEach((row, i) => expect(row).toBe(rows[i % period]));
  const config = JSON.parse(workspace.read('text', 'adapter', 'adapter_config.json').toString());
  expect(config).toMatchObject({ prompt_tuning_init: 'TEXT', tokenizer_name_or_path: 'llama' });
  // As from another program: the tokens take some of the positions that texts have by default.
  workspace.delete('text', 'adapter', 'adalora.json');
  await succeeds(workspace.run('eval', 'text/adapter', 'dev.jsonl', '--model', 'llama'));
});

it('classifies with a decoder, and keeps its head', async () => {
  const rows = ['model=gpt2', 'method=prompt_tuning', 'prompt_tuning.num_virtual_tokens=3', 'output=classes'];
  await succeeds(workspace.train(...rows, 'training.learning_rate=3e-2', 'training.max_steps=20'));
  expect([...adapterOf('classes').keys()].sort()).toEqual(['base_model.score.weight', 'prompt_embeddings']);
  const { metrics } = eventsOf(workspace.events('classes'), 'finish')[0]!;
  const scores = JSON.parse(await succeeds(workspace.run('eval', 'classes', 'dev.tsv', '--json')));
  expect(scores.eval_accuracy).toBe(metrics.eval_accuracy);
  await succeeds(workspace.run('export', 'classes', '--as', 'onnx', '-o', 'classes-onnx'));
});

it.each([
  [
    'an encoder',
    ['method=prompt_tuning'],
    '`method` is prompt_tuning, which needs a decoder that writes text or classifies texts, got bert for ',
  ],
  [
    'a classifier',
    ['model=gpt2', 'method=prefix_tuning'],
    'which needs a decoder that writes text, got gpt2 for ',
  ],
  [
    'more tokens than positions',
    ['model=gpt2', 'method=prompt_tuning', 'prompt_tuning.num_virtual_tokens=4096'],
    '`prompt_tuning.num_virtual_tokens` is 4096, but the model has only ',
  ],
  [
    'a text without its start',
    ['model=gpt2', 'method=prompt_tuning', 'prompt_tuning.prompt_tuning_init_text=x'],
    'must be with prompt_tuning_init: TEXT, and only then, got "x"',
  ],
])('%s is rejected before training', async (_, settings, message) => {
  const { code, stderr } = await workspace.train(...settings, 'output=none');
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
