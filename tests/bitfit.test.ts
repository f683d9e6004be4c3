import { beforeAll, describe, expect, it } from 'vitest';
import { METHODS } from '../src/methods/tuners/registry.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { modelFeeds } from '../src/program/objectives/model-inputs.ts';
import { labelFeed } from '../src/program/objectives/sequence-loss.ts';
import { Program } from '../src/program/program.ts';
import { elementCount } from '../src/support/arrays.ts';
import { newWorkspace, succeeds } from './support/commands.ts';
import { describeForTask, openForTask } from './support/open-for-task.ts';

const SETTINGS = ['method=bitfit', 'training.max_steps=40'];

const workspace = newWorkspace();
beforeAll(async () => {
  await succeeds(workspace.train('output=run', ...SETTINGS));
});

const modelShapes = () => describeForTask(workspace.path('model'), 'single_label_classification').parameters;
const isHead = (name: string) => name.startsWith('classifier.');

describe('a run of BitFit', () => {
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
