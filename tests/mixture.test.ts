import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plan, type RunConfigInput, train } from '../src/index.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';
import { trainHere } from './support/train-here.ts';
import { Workspace } from './support/workspace.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
  const text = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  workspace.write('a.jsonl', text(tinyRows(60, 1)));
  workspace.write('b.jsonl', text(tinyRows(20, 2)));
  writeTinyTextModel(workspace.path('decoder'), 'llama');
});
afterAll(() => workspace.remove());
afterAll(trainHere());

const files = () => [workspace.path('a.jsonl'), workspace.path('b.jsonl')];
const config = (output: string, data: object = {}): RunConfigInput => ({
  model: workspace.path('model'),
  defaults: 'huggingface',
  method: 'lora',
  data: { train: files(), text: 'text', label: 'label', max_length: 32, ...data },
  training: { max_steps: 8, per_device_train_batch_size: 8, logging_steps: 1, save_steps: 4 },
  output: workspace.path(output),
});
const mixture = { probabilities: [0.5, 0.5], stopping_strategy: 'all_exhausted' };

describe('several training files', () => {
  it('are a mixture of rows that are not held out', async () => {
    const { sources = [], stepsPerEpoch } = await plan(config('x', { ...mixture, validation: '25%' }));
    // A quarter of all rows with each label is held out, from whichever file.
    expect(sources.map(({ examples }) => examples)).toEqual([45, 14]);
    expect(sources[0]!.drawn).toBe(45);
    expect(sources[1]!.drawn).toBeGreaterThan(25);
    expect(stepsPerEpoch).toBe(Math.ceil((sources[0]!.drawn + sources[1]!.drawn) / 8));
  });

  it('pack the documents of each file alone', async () => {
    const language = {
      ...config('x'),
      model: workspace.path('decoder'),
      task: 'causal_lm',
      training: { per_device_train_batch_size: 1 },
      data: { train: files(), text: 'text', max_length: 64, packing: true },
    } as RunConfigInput;
    const planned = (data: object) =>
      plan({ ...language, data: { ...language.data, ...data } } as RunConfigInput);
    // With one example in a step, an epoch has as many steps as examples.
    const alone = await Promise.all(files().map((train) => planned({ train })));
    const mixed = await planned(mixture);
    expect(mixed.sources?.map(({ examples }) => examples)).toEqual(
      alone.map(({ stepsPerEpoch }) => stepsPerEpoch),
    );
    expect(mixed.sources?.[1]?.drawn).toBeGreaterThan(alone[1]!.stepsPerEpoch);
  });

  it('train to the same bytes after a stop', async () => {
    await train(config('whole', mixture));
    const controller = new AbortController();
    await train(config('stopped', mixture), {
      signal: controller.signal,
      onEvent: ({ type, step }) => type === 'step' && step === 5 && controller.abort(),
    });
    await train(config('stopped', mixture), { resume: true });
    const adapter = (run: string) => workspace.read(run, 'adapter', 'adapter_model.safetensors');
    expect(adapter('stopped').equals(adapter('whole'))).toBe(true);
    const other = config('stopped', { ...mixture, probabilities: [0.4, 0.6] });
    await expect(train(other, { resume: true })).rejects.toThrow('data.probabilities is [0.4,0.6]');
    // How a file is read later has no mixture.
    expect(workspace.read('whole', 'adapter', 'adalora.json').toString()).not.toContain('probabilities');
  });

  it.each([
    [{ probabilities: [1] }, /`data.probabilities` must be a number for each file .* got 1 for 2/],
    [{ probabilities: [0.5, 0.6] }, '`data.probabilities` must be in sum 1, got 1.1'],
    [{ probabilities: [1, 0] }, '`data.probabilities.1` must be'],
    [{}, '`data.train` may be a list only with data.probabilities'],
    [
      { train: 'a.jsonl', stopping_strategy: 'first_exhausted' },
      '`data.stopping_strategy` requires data.probabilities',
    ],
    [{ ...mixture, train: 'a.jsonl' }, /a number for each file in a list/],
    [{ ...mixture, stopping_strategy: 'first' }, 'must be one of first_exhausted, all_exhausted'],
  ])('with %j are refused', async (data, message) => {
    await expect(plan(config('x', data))).rejects.toThrow(message);
  });
});
