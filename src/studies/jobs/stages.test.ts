import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { tinyRows } from '../../../tests/support/tiny-data.ts';
import { writeTinyModel } from '../../../tests/support/tiny-model.ts';
import { STRENGTHS } from '../../program/linear-probe.ts';
import { ALONE_PROCESSES } from '../../program/parallel/communicator.ts';
import { defineTask } from '../../tasks/define-task.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { TaskPreparation } from '../../tasks/task-definition.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../training/run/config/run-config.ts';
import type { TrainEvent } from '../../training/run/events.ts';
import { conclude } from './contenders/conclude.ts';
import { crossValidate } from './contenders/folds.ts';
import { fitLayerInLoss, fitProbe, layerInLoss, probeScore } from './contenders/frozen.ts';
import { type MadeFiles, type MemoryStoreOptions, memoryStore } from './memory-store.ts';
import { THIS_NODE } from './node/machine.ts';
import { encodeRows, startTrainer } from './open-run.ts';
import { expectSeconds } from './plan/expected-seconds.ts';
import { Run } from './run.ts';
import { runInFolder } from './run-in-folder.ts';
import { hearStop, STAGES, train } from './train-run.ts';
import { finish, judge } from './verdict/judge-run.ts';

const folder = newFolder();
beforeAll(() => {
  writeTinyModel(join(folder, 'model'));
});

const ROWS = 24;
const table = tinyRows(ROWS, 1).map(({ text, label }) => `${text}\t${label}`);
const texts = { rows: ['text\tlabel', ...table].join('\n') };

const configOf = (data: object, training: object = {}, more: object = {}) =>
  parseRunConfig(
    {
      model: join(folder, 'model'),
      defaults: 'huggingface',
      method: 'lora',
      output: 'unwritten',
      data: { train: 'rows', text: 'text', label: 'label', max_length: 16, ...data },
      training: { max_steps: 4, per_device_train_batch_size: 8, ...training },
      ...more,
    } as RunConfigInput,
    'test',
  );

type Options = Parameters<typeof memoryStore>[0] & { shouldStop?: () => boolean; made?: MadeFiles };

/** Does the stages of a run up to one of them, and returns the run, which is still open, and its events. */
async function doUpTo(
  last: (typeof STAGES)[number],
  config: ReturnType<typeof configOf>,
  { shouldStop = () => false, made = {}, ...options }: Options = {},
) {
  const events: TrainEvent[] = [];
  const run = new Run(THIS_NODE, config, {
    memory: { texts },
    processes: ALONE_PROCESSES,
    store: memoryStore(options, made),
    host: { emit: (event) => void events.push(event), shouldStop },
  });
  for (const stage of STAGES) if ((await hearStop(run, stage)) === 'over' || stage === last) break;
  return { run, events };
}

const FOLDS = { validation: '3 folds' };

it('a probe predicts every row from other folds', async () => {
  const { run } = await doUpTo(fitProbe, configOf(FOLDS));
  const { probe, examples, files } = run;
  expect(probe!.outOfFold).toHaveLength(STRENGTHS.length);
  for (const version of probe!.outOfFold)
    expect(version.map(({ length }) => length)).toEqual(Array(ROWS).fill(2));
  // The label is a word of the text, so the frozen vectors tell it better than chance: 0.5.
  expect(probeScore(examples, probe!, files.config)).toBeGreaterThan(0.6);
  await run.close();
});

describe('a layer in the loss', () => {
  // Pairs have no contrastive loss.
  const pooled = () => configOf({ ...FOLDS, text_pair: 'text', pooling: 'mean' });
  const layerOf = ({ training }: Run) => {
    const { feeds } = training.inputs.train.batch(Int32Array.of(0), 0);
    return Object.entries(feeds).filter(([name]) => name.includes('layer'));
  };

  it('has no effect until the probe is fitted', async () => {
    const { run } = await doUpTo(encodeRows, pooled());
    const before = layerOf(run);
    await fitProbe(run);
    await fitLayerInLoss(run);
    const after = layerOf(run);
    expect(before.length).toBeGreaterThan(0);
    expect(after.map(([name]) => name)).toEqual(before.map(([name]) => name));
    for (const [, { data }] of before) expect([...data].every((value) => value === 0)).toBe(true);
    expect(after.some(([, { data }]) => [...data].some((value) => value !== 0))).toBe(true);
    await run.close();
  });

  it('of a fold learns from the other rows only', async () => {
    const { run } = await doUpTo(fitProbe, pooled());
    const [held] = run.examples.judge!.folds!;
    const kept = Int32Array.from({ length: ROWS }, (_, row) => row).filter((row) => !held!.includes(row));
    const layer = await layerInLoss(run, kept);
    for (const row of held!) run.probe!.features[row]!.fill(1e3);
    expect(await layerInLoss(run, kept)).toEqual(layer);
    await run.close();
  });
});

describe('folds', () => {
  it('predict every row, and are not trained again after a stop', async () => {
    const stored = new Map<string, File>();
    const onFolds = (file: File) => void stored.set(file.name, file);
    const whole = await doUpTo(crossValidate, configOf(FOLDS));
    await whole.run.close();
    for (const version of whole.run.outOfFold!)
      expect(version.map(({ length }) => length)).toEqual(Array(ROWS).fill(2));
    // Four steps for each fold: the stop is in the second one.
    let steps = 0;
    const stopped = await doUpTo(crossValidate, configOf(FOLDS), { onFolds, shouldStop: () => ++steps > 6 });
    await stopped.run.close();
    expect(stopped.run.outOfFold).toBeUndefined();
    let repeated = 0;
    const shouldStop = () => ++repeated < 0;
    const resumed = await doUpTo(crossValidate, configOf(FOLDS), { onFolds, folds: stored, shouldStop });
    await resumed.run.close();
    expect(resumed.run.outOfFold).toEqual(whole.run.outOfFold);
    expect(repeated).toBeLessThan(8);
  });

  it('are counted before they begin, and the time of a run is estimated from a few steps', async () => {
    const inEpochs = configOf(FOLDS, { max_steps: -1, num_train_epochs: 3 });
    const { run, events } = await doUpTo(crossValidate, inEpochs);
    const start = events.find((event) => event.type === 'start');
    // Each fold learns from 16 rows, in two steps of 8 per epoch.
    expect(start).toMatchObject({ total_steps: 9, fold_steps: 3 * 3 * 2 });
    expect(await expectSeconds(THIS_NODE, run.files, run.examples)).toBeGreaterThan(0);
    const untimed = { ...run.files, config: { ...run.files.config, base_dtype: 'int8' as const } };
    expect(await expectSeconds(THIS_NODE, untimed, run.examples)).toBeUndefined();
    await run.close();
  });
});

describe('a checkpoint', () => {
  const checkpointAt = async (steps: number) => {
    const files: File[] = [];
    let asked = 0;
    const onCheckpoint: MemoryStoreOptions['onCheckpoint'] = (file) => void files.push(file);
    const { run } = await doUpTo(finish, configOf({}), { onCheckpoint, shouldStop: () => ++asked > steps });
    expect(run).toMatchObject({ finish: { reason: 'stopped', step: steps }, result: undefined });
    await run.close();
    return files.at(-1)!;
  };

  it('starts the training at its step, and ends like a run that nothing stops', async () => {
    const resume = await checkpointAt(2);
    const { run } = await doUpTo(startTrainer, configOf({}), { resume });
    expect(run.trainer.step).toBe(2);
    await run.close();
    const ends = [];
    for (const options of [{}, { resume }]) {
      const made: MadeFiles = {};
      await (await doUpTo(finish, configOf({}), { ...options, made })).run.close();
      ends.push(made.adapter!.get('adapter_model.safetensors'));
    }
    expect(ends[1]).toEqual(ends[0]);
  });

  it('belongs to its config', async () => {
    const resume = await checkpointAt(2);
    const other = doUpTo(finish, configOf({}, { learning_rate: 0.5 }), { resume });
    await expect(other).rejects.toThrow('belongs to a run with another config');
  });
});

it('a stop is heard while outputs of many rows are computed', async () => {
  // A second passes between any two looks at the clock.
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 2000));
  try {
    const early = await doUpTo(finish, configOf(FOLDS), { shouldStop: () => true });
    expect(early.run.probe).toBeUndefined();
    expect(early.run.finish).toMatchObject({ reason: 'stopped', step: 0 });
    await early.run.close();
    // The run is asked to stop when it has trained.
    const late = await doUpTo(train, configOf({ ...FOLDS, text_pair: 'text', pooling: 'mean' }));
    Object.assign(late.run.host, { shouldStop: () => true });
    for (const stage of [conclude, judge, finish]) await hearStop(late.run, stage);
    expect(late.run.finish).toMatchObject({ reason: 'stopped', step: 4 });
    expect(late.run.result).toBeUndefined();
    await late.run.close();
  } finally {
    clock.mockRestore();
  }
});

it('a verdict is of the outputs that were chosen, lowered for the choice', async () => {
  const { run } = await doUpTo(judge, configOf(FOLDS, { floor: true }));
  const { verdict, metrics } = run.finish;
  const { rows, outputs, judged, choice, result } = run.conclusion!;
  const scores: Partial<Record<string, number>> = rows.scores(outputs, judged);
  expect(verdict).toMatchObject({ score: 'accuracy', kept: result.kind, folds: 3, rows: ROWS });
  expect(verdict!.value).toBeCloseTo(scores.eval_accuracy! - choice.optimism.accuracy!, 12);
  expect(metrics.eval_f1).toBeCloseTo(scores.eval_f1! - choice.optimism.f1!, 12);
  expect(metrics.eval_accuracy).toBe(verdict!.value);
  const others = verdict!.to_beat.map(({ name }) => name);
  expect(others).toContain(result.kind === 'tuned' ? 'a linear probe' : 'fine-tuning');
  await run.close();
});

describe('what a task prepares', () => {
  const base = taskNamed('single_label_classification');
  const computed: number[] = [];
  const seen: number[] = [];
  let name = 'word-counts-1';
  const preparation: TaskPreparation = {
    get name() {
      return name;
    },
    async compute(rows, context, { program, values }) {
      const { examples } = base.evaluation(rows, context, 8);
      computed.push(examples.lengths.length);
      const all = Int32Array.from(examples.lengths.keys());
      const logits = await program.predict(values, examples.batch(all, 0).feeds);
      return Array.from(all, (row) => Float32Array.of(row, logits[0]!));
    },
  };
  const task: typeof base = {
    ...base,
    preparation,
    examples(rows, context) {
      seen.push(...context.prepared!.map(([row]) => row!));
      return base.examples(rows, context);
    },
  };
  beforeAll(() => defineTask('prepared', task, import.meta));

  const train = (output: string, options: { resume: boolean; steps?: number }) => {
    const data = { validation: undefined };
    const config = configOf(
      data,
      { eval_strategy: 'no' },
      { task: 'prepared', output: join(folder, output) },
    );
    let asked = 0;
    const shouldStop = () => ++asked > (options.steps ?? Number.POSITIVE_INFINITY);
    return runInFolder(THIS_NODE, config, { texts, onEvent() {}, shouldStop, resume: options.resume });
  };

  it('is computed once, is read by its examples, and is kept beside the checkpoints', async () => {
    expect(await train('stopped', { resume: false, steps: 2 })).toMatchObject({ reason: 'stopped' });
    expect(THIS_NODE.folder(join(folder, 'stopped', 'checkpoints')).list()).toContain(
      'prepared-train.safetensors',
    );
    expect(await train('stopped', { resume: true })).toMatchObject({ reason: 'done' });
    expect(computed).toEqual([ROWS]);
    expect(seen).toEqual([...Array(ROWS).keys(), ...Array(ROWS).keys()]);
  });

  it('is kept by a page, too', async () => {
    const folds = new Map<string, File>();
    const onFolds = (file: File) => void folds.set(file.name, file);
    const config = configOf({ validation: 'rows' }, {}, { task: 'prepared' });
    const first = await doUpTo(encodeRows, config, { onFolds });
    expect([...folds.keys()]).toEqual(['prepared-train.safetensors', 'prepared-validation-0.safetensors']);
    computed.length = 0;
    const second = await doUpTo(encodeRows, config, { onFolds, folds });
    expect(computed).toEqual([]);
    expect(second.run.prepared).toEqual(first.run.prepared);
    for (const { run } of [first, second]) await run.close();
  });

  it('is part of the fingerprint', async () => {
    await train('other', { resume: false, steps: 2 });
    name = 'word-counts-2';
    await expect(train('other', { resume: true })).rejects.toThrow('other');
  });
});
