import { cpSync, existsSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readAdapter } from './support/adapter-folder.ts';
import { newWorkspace, refuses, set, succeeds } from './support/commands.ts';
import { writeSmallGenerator } from './support/small-generator.ts';
import { writeTinyModel } from './support/tiny-model.ts';

const workspace = newWorkspace();
beforeAll(async () => {
  // Wide enough for int4 blocks.
  writeTinyModel(workspace.path('model'), { hidden_size: 64, intermediate_size: 128 });
});

/** The arguments of a run of 40 steps; with this seed, that is enough. */
const args = (output: string, ...settings: string[]) => [
  ...['train', 'run.yaml'],
  ...['training.max_steps=40', 'seed=3', `output=${output}`, ...settings].flatMap((setting) => [
    '--set',
    setting,
  ]),
];
const run = (...words: string[]) => succeeds(workspace.run(...words));

describe.each([
  ['houlsby', 4, 'Houlsby adapters', 4 * (2 * 64 * 4 + 4 + 64)],
  ['pfeiffer', 2, 'Pfeiffer adapters', 2 * (2 * 64 * 4 + 4 + 64)],
] as const)('%s', (method, sites, title, parameters) => {
  const own = [`method=${method}`, `${method}.bottleneck=4`];
  beforeAll(() => run(...args(method, ...own)));

  it('learns, and writes the files of AdapterHub', async () => {
    const losses = workspace.events(method).flatMap((event) => (event.type === 'step' ? [event.loss] : []));
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
    expect(readdirSync(workspace.path(method, 'adapter')).sort()).toEqual([
      'adalora.json',
      'adapter.safetensors',
      'adapter_config.json',
      'head_config.json',
      'model_head.safetensors',
    ]);
    expect(await readAdapter(workspace.path(method, 'adapter'))).toMatchObject({
      baseModel: 'model',
      head: { label2id: { bad: 0, good: 1 } },
    });
  });

  it('is planned, and inspected', async () => {
    const planned = ['plan', 'run.yaml', ...set(own)];
    expect(JSON.parse(await run(...planned, '--json'))).toMatchObject({
      method,
      sites,
      adapterParameters: parameters,
      trainableParameters: parameters + 2 * 64 + 2,
      ranks: {},
    });
    expect(JSON.parse(await run('inspect', method, '--json'))).toEqual({
      kind: 'BOTTLENECK',
      task_type: 'SEQ_CLS',
      base_model_name_or_path: 'model',
      adapters: sites,
      bottleneck: 4,
      non_linearity: method === 'houlsby' ? 'swish' : 'relu',
      original_ln_before: method === 'pfeiffer',
      adapter_parameters: parameters,
      head_parameters: 2 * 64 + 2,
    });
    const printed = await run('inspect', method);
    expect(printed).toContain('BOTTLENECK adapter of model\n');
    expect(printed).toContain('bottleneck: 4\n');
  });

  it('has a card with the Python code, a report, and curves for TensorBoard', async () => {
    const card = workspace.read(method, 'README.md').toString();
    expect(card).toContain(`# model, ${title}`);
    expect(card).toContain('library_name: adapter-transformers');
    expect(card).toContain('model.load_adapter("adapter", set_active=True, use_safetensors=True)');
    expect(card).not.toMatch(/undefined|PeftModel|merge/);
    await run('report', method);
    const page = workspace.read(method, 'report.html').toString();
    expect(page).toContain(title);
    expect(page.replace(/<script>.*?<\/script>/gs, '')).not.toMatch(/\bundefined\b|NaN/);
    await run(...args('curves', ...own), '--tensorboard');
    expect(existsSync(workspace.path('curves', 'tensorboard'))).toBe(true);
    workspace.delete('curves');
  });

  it('cannot be merged or exported in another form', async () => {
    expect(await workspace.run('export', method, '--as', 'merged', '-o', 'merged')).toMatchObject({
      code: 2,
      stderr: `${method}/adapter is an adapter of kind BOTTLENECK, which cannot be added to the weights of its base model: it has layers of its own that no weight of the base can hold. Use it as it is: predict, eval and generate open it with its base model.\n`,
    });
    await refuses(
      workspace.run('export', method, '--as', 'lora', '-o', 'exported'),
      'cannot be exported as lora. Use it as it is, with its base model.',
    );
  });
});

it('adapters of a decoder generate different texts', async () => {
  const type = 'gemma2';
  writeSmallGenerator(workspace.path(type), type);
  workspace.write('texts.txt', 'The cat sat on the mat.\n'.repeat(60));
  const settings = {
    model: type,
    defaults: 'huggingface',
    task: 'causal_lm',
    method: 'houlsby',
    data: { train: 'texts.txt', sample_by: 'line', max_length: 16, packing: true },
    training: { max_steps: 200, learning_rate: 0.02 },
    output: `${type}-run`,
  };
  workspace.write(`${type}.yaml`, JSON.stringify(settings));
  await run('train', `${type}.yaml`);
  const written = (path: string) =>
    run('generate', path, '--prompt', 'The cat', '--max-new-tokens', '8', '--no-chat');
  const text = await written(`${type}-run`);
  expect(text).toContain('sat on');
  expect(text).not.toBe(await written(type));
  // The module that scores words belongs to the base.
  expect(readdirSync(workspace.path(`${type}-run`, 'adapter')).sort()).toEqual([
    'adalora.json',
    'adapter.safetensors',
    'adapter_config.json',
  ]);
});

it('an adapter that names no base is opened with --model', async () => {
  const config = JSON.parse(workspace.read('houlsby', 'adapter', 'adapter_config.json').toString());
  const adapter = workspace.path('nameless');
  cpSync(workspace.path('houlsby', 'adapter'), adapter, { recursive: true });
  workspace.write('nameless/adapter_config.json', JSON.stringify({ ...config, model_name: '' }));
  expect(await workspace.run('eval', 'nameless', 'dev.tsv')).toMatchObject({
    code: 2,
    stderr: 'nameless does not name its base model. Give --model.\n',
  });
  const score = async (...words: string[]) => {
    // Only a run has a verdict.
    const { verdict: _, ...scores } = JSON.parse(await run('eval', ...words, 'dev.tsv', '--json'));
    return scores;
  };
  expect(await score('nameless', '--model', 'model')).toEqual(await score('houlsby'));
});
