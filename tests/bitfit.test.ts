import { beforeAll, describe, expect, it } from 'vitest';
import { PEFT_PREFIX } from '../src/input/formats/adapters/stored-adapter.ts';
import { METHODS } from '../src/methods/tuners/registry.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { modelFeeds } from '../src/program/objectives/model-inputs.ts';
import { labelFeed } from '../src/program/objectives/sequence-loss.ts';
import { Program } from '../src/program/program.ts';
import { elementCount } from '../src/support/arrays.ts';
import { readAdapter } from './support/adapter-folder.ts';
import { newWorkspace, succeeds } from './support/commands.ts';
import { describeForTask, openForTask } from './support/open-for-task.ts';
import { readSafetensors } from './support/safetensors-file.ts';

const SETTINGS = ['method=bitfit', 'training.max_steps=40'];

const workspace = newWorkspace();
beforeAll(async () => {
  await succeeds(workspace.train('output=run', ...SETTINGS));
});

const modelShapes = () => describeForTask(workspace.path('model'), 'single_label_classification').parameters;
const isHead = (name: string) => name.startsWith('classifier.');

describe('a run of BitFit', () => {
  it('writes an adapter of every bias and the head, all of them changed', async () => {
    const { config, tensors } = await readAdapter(workspace.path('run', 'adapter'));
    expect(config).toMatchObject({
      peft_type: 'BITFIT',
      task_type: 'SEQ_CLS',
      modules_to_save: ['classifier'],
    });
    const shapes = modelShapes();
    const expected = [...shapes.keys()].filter((name) => name.includes('bias') || isHead(name));
    expect([...tensors.keys()].sort()).toEqual(expected.map((name) => PEFT_PREFIX + name).sort());
    const base = readSafetensors(workspace.path('model', 'model.safetensors'));
    for (const name of expected.filter((name) => !isHead(name))) {
      const { shape, data } = tensors.get(PEFT_PREFIX + name)!;
      expect(shape).toEqual(shapes.get(name));
      // The bias of keys does not affect attention: softmax ignores a constant added to a whole row.
      if (!name.endsWith('self.key.bias')) expect([...data]).not.toEqual([...base.get(name)!.data]);
    }
  });

  it('has the gradient of full fine-tuning for the same parameters', async () => {
    const model = openForTask(workspace.path('model'), 'single_label_classification');
    const batch = { batch: 2, length: 4, attentionMask: new Int32Array(8).fill(1) };
    const inputIds = Int32Array.of(2, 5, 9, 3, 2, 6, 11, 3);
    const feeds = {
      ...modelFeeds({ ...batch, inputIds, tokenTypeIds: new Int32Array(8) }),
      ...labelFeed(Int32Array.of(1, 0), Int32Array.of(0, 1), 2),
    };
    const gradients = async ({ tuner }: ReturnType<typeof METHODS.bitfit.start>) => {
      const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
      const values = tuner.initialValues(0, model.reader(0));
      const { gradient } = await program.differentiate(values, feeds, 0, 1);
      const found = new Map(
        tuner.layout.segments.map(({ name }) => [name, tuner.layout.read(gradient, name).slice()]),
      );
      await program.release();
      return found;
    };
    const own = await gradients(METHODS.bitfit.start(model, {}, 1));
    const full = await gradients(METHODS.full.start(model, {}, 1));
    model.close();
    for (const [name, gradient] of own) {
      const reference = full.get(name)!;
      // The two graphs sum in different orders: float32 of values up to about one.
      gradient.forEach((value, i) => expect(value, name).toBeCloseTo(reference[i]!, 5));
    }
  });

  it('is merged into a checkpoint with the same predictions, which differs only in biases and head', async () => {
    await succeeds(workspace.run('export', 'run', '--as', 'merged', '-o', 'merged'));
    const logits = async (path: string) =>
      (await succeeds(workspace.run('predict', path, 'dev.tsv', '--logits')))
        .trimEnd()
        .split('\n')
        .flatMap((line) => JSON.parse(line).logits as number[]);
    const [adapted, merged] = [await logits('run'), await logits('merged')];
    expect(adapted).toHaveLength(2 * 48);
    merged.forEach((value, i) => expect(value).toBeCloseTo(adapted[i]!, 5));
    const base = readSafetensors(workspace.path('model', 'model.safetensors'));
    const written = readSafetensors(workspace.path('merged', 'model.safetensors'));
    const { tensors } = await readAdapter(workspace.path('run', 'adapter'));
    for (const [name, { data }] of written)
      expect(data, name).toEqual((tensors.get(PEFT_PREFIX + name) ?? base.get(name)!).data);
  });

  it('is inspected without ranks', async () => {
    const shapes = [...modelShapes()];
    const count = (wanted: (name: string) => boolean) =>
      shapes.reduce((sum, [name, shape]) => sum + (wanted(name) ? elementCount(shape) : 0), 0);
    const counts = {
      adapter_parameters: count((name) => name.includes('bias') && !isHead(name)),
      head_parameters: count(isHead),
    };
    expect(JSON.parse(await succeeds(workspace.run('inspect', 'run', '--json')))).toEqual({
      peft_type: 'BITFIT',
      task_type: 'SEQ_CLS',
      base_model_name_or_path: 'model',
      ...counts,
    });
    const printed = await succeeds(workspace.run('inspect', 'run'));
    expect(printed).toContain('BITFIT adapter of model');
    expect(printed).not.toMatch(/rank/);

    const planned = ['plan', 'run.yaml', '--set', 'method=bitfit', '--set', 'output=planned'];
    const plan = JSON.parse(await succeeds(workspace.run(...planned, '--json')));
    expect(plan).toMatchObject({
      method: 'bitfit',
      adapterParameters: counts.adapter_parameters,
      trainableParameters: counts.adapter_parameters + counts.head_parameters,
      ranks: {},
      sites: shapes.filter(([name]) => name.includes('bias') && !isHead(name)).length,
    });
    expect(plan.budget).toBeUndefined();
    expect(await succeeds(workspace.run(...planned))).toContain(
      `\nin adapters  ${counts.adapter_parameters.toLocaleString('en')} in ${plan.sites} modules\n`,
    );
  });
});

describe('rejects', () => {
  it.each<[string, string[], string]>([
    [
      'going on from its adapter',
      ['method=bitfit', 'adapter=run'],
      'or svd_lora, got bitfit. Merge the adapter (adalora export --as merged) and set model to the result.',
    ],
    [
      'going on from its adapter with another method',
      ['method=lora', 'adapter=run'],
      'adapter: run is an adapter of method BITFIT, not lora.',
    ],
    [
      'a base that is new',
      ['method=bitfit', 'model_init=random'],
      '`model_init` cannot be random with method bitfit',
    ],
  ])('%s', async (_, settings, message) => {
    const { code, stderr } = await workspace.train('output=refused', ...settings);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
});
