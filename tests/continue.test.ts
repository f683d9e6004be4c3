import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { largestDifference, largestMagnitude } from '../scripts/conformance/compare.ts';
import { feedsOf, floats, named, withPrefix } from '../scripts/conformance/read-case.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { Program } from '../src/program/program.ts';
import { continuedConfig } from '../src/studies/jobs/read-run.ts';
import { startMethod } from '../src/studies/jobs/set-up-run.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import { readAdapter } from './support/adapter-folder.ts';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';
import { openForTask } from './support/open-for-task.ts';
import { readSafetensors } from './support/safetensors-file.ts';
import { UNSCORED } from './support/workspace.ts';

const workspace = newWorkspace();
beforeAll(async () => {
  for (const method of ['adalora', 'lora'])
    await succeeds(workspace.train(`method=${method}`, `output=${method}`));
});

/** A run that continues an adapter. The sections of the workspace's config belong to the original adapters. */
const continued = (output: string, adapter: string, ...settings: string[]) =>
  workspace.train(`output=${output}`, `adapter=${adapter}`, ...settings);
const logitsOf = (run: string) => succeeds(workspace.run('predict', run, 'dev.tsv', '--logits'));
const adapterOf = (run: string) => readAdapter(workspace.path(run, 'adapter'));

describe.each(['adalora', 'lora'])('an adapter of %s', (method) => {
  it('starts from its own predictions and scores when it is continued', async () => {
    const still = `still-${method}`;
    // Steps so small that no float32 changes.
    await succeeds(
      continued(still, method, `method=${method}`, 'training.learning_rate=1e-30', 'training.max_steps=1'),
    );
    const [after, before] = [await adapterOf(still), await adapterOf(method)];
    expect(after.tensors).toEqual(before.tensors);
    expect(after.config).toEqual(before.config);
    expect(await logitsOf(still)).toBe(await logitsOf(method));
    const finish = workspace.events(still).at(-1);
    const {
      confusion_matrix: _,
      verdict: __,
      ...scores
    } = JSON.parse(await succeeds(workspace.run('eval', method, 'dev.tsv', '--json')));
    expect(finish).toMatchObject({ metrics: scores });
  });

  it('continues to learn, at its ranks', async () => {
    const on = `on-${method}`;
    const settings = [`method=${method}`, 'training.logging_steps=1', UNSCORED];
    const stdout = await succeeds(continued(on, `${method}/adapter`, ...settings));
    expect(stdout.includes('ranks do not change')).toBe(method === 'adalora');
    const events = workspace.events(on);
    expect(events.filter(({ type }) => type === 'allocation')).toEqual([]);
    const lossesOf = (run: string) =>
      workspace.events(run).flatMap((event) => (event.type === 'step' ? [event.loss] : []));
    const [first] = lossesOf(method);
    expect(lossesOf(on)[0]).toBeLessThan(0.75 * first!);
    expect(lossesOf(on).at(-1)).toBeLessThan(0.25 * first!);
    expect(events.at(-1)).toMatchObject({
      ranks: (workspace.events(method).at(-1) as { ranks: object }).ranks,
    });
    const [after, before] = [await adapterOf(on), await adapterOf(method)];
    expect(after.tensors).not.toEqual(before.tensors);
    expect(after.config).toEqual(before.config);
    expect(workspace.read(on, 'README.md').toString()).toContain('continued from an earlier adapter');
  });

  it('resumes exactly, and only with its original adapter', async () => {
    const settings = ['--set', `method=${method}`, '--set', 'training.max_steps=25', '--set', 'adapter=from'];
    mkdirSync(workspace.path('from'), { recursive: true });
    const put = (run: string) => {
      for (const file of ['adapter_config.json', 'adapter_model.safetensors', 'adalora.json'])
        copyFileSync(workspace.path(run, 'adapter', file), workspace.path('from', file));
    };
    put(method);
    const args = ['train', 'run.yaml', ...settings, '--set', UNSCORED];
    await succeeds(workspace.run(...args, '--set', `output=whole-${method}`));
    const parts = [...args, '--set', `output=parts-${method}`];
    await workspace.killAt({ type: 'checkpoint', step: 10 }, parts);

    put(`on-${method}`);
    const refused = await workspace.run(...parts, '--resume');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain(' or the adapter. Resume with');
    put(method);
    await succeeds(workspace.run(...parts, '--resume'));
    const bytes = (run: string) => workspace.read(run, 'adapter', 'adapter_model.safetensors');
    expect(bytes(`parts-${method}`).equals(bytes(`whole-${method}`))).toBe(true);
  });

  it('is planned with its own ranks', async () => {
    const args = [
      '--set',
      `method=${method}`,
      '--set',
      `adapter=${method}`,
      '--set',
      'output=planned',
      '--json',
    ];
    const plan = JSON.parse(await succeeds(workspace.run('plan', 'run.yaml', ...args)));
    expect(workspace.events(method).at(-1)).toMatchObject({ ranks: plan.ranks });
    expect(plan.sites).toBe(Object.keys(plan.ranks).length);
    expect(plan.budget).toBeUndefined();
  });
});

describe('an incompatible adapter is rejected', () => {
  it.each<[string, string[], string]>([
    ['of another method', ['adapter=lora'], 'adapter: lora is an adapter of method LORA'],
    [
      'with other ranks',
      ['adapter=lora', 'method=lora', 'lora.r=8'],
      'lora.r must be 4, as in the adapter, got 8.',
    ],
    [
      'for another task',
      ['adapter=adalora', 'task=regression', 'data.label=score'],
      '`task` must be single_label_',
    ],
    [
      'for other labels',
      ['adapter=adalora', 'data.label=pair'],
      'which is not a label of the adapter adalora (bad, good)',
    ],
    ['that is missing', ['adapter=lorra', 'method=lora'], 'Did you mean lora?'],
    ['that is a model', ['adapter=model'], 'model is a whole model'],
  ])('%s', async (_, settings, message) => {
    await refuses(workspace.train('output=refused', ...settings), message);
    expect(existsSync(workspace.path('refused'))).toBe(false);
  });
});

const TRAJECTORIES = '../shared/conformance/trajectories';

// Skipped if the golden cases are not beside the repository.
describe.skipIf(!existsSync(TRAJECTORIES))('an adapter from PEFT', () => {
  it.each(['bert-lora', 'bert-adalora'])('%s starts with the same logits', async (name) => {
    const folder = `${TRAJECTORIES}/${name}`;
    const adapter = await readAdapter(`${folder}/adapter`);
    const probe = readSafetensors(`${folder}/probe.safetensors`);
    const config = parseRunConfig(
      {
        defaults: 'huggingface',
        model: `${folder}/base`,
        adapter: `${folder}/adapter`,
        method: name.replace('bert-', ''),
        data: { train: 'none', text: 0, label: 1 },
        output: 'none',
      },
      'test',
    );
    const expected = floats(named(probe, 'logits'));
    const model = openForTask(config.model, 'single_label_classification');
    const settled = continuedConfig(config, adapter);
    const { run, values } = startMethod(settled, model, 10, adapter);
    const program = new Program(nodeEngine(model, 'cpu'), model, run.tuner);
    const logits = await program.predict(values!, feedsOf(model, withPrefix(probe, 'batch.')));
    await program.release();
    model.close();
    expect(largestDifference(logits, expected)).toBeLessThan(1e-5 * largestMagnitude(expected));
    expect(run.store!(values!, adapter.baseModel!)).toEqual(adapter);
    expect(run.settled).toBe(true);
  });
});
