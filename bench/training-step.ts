import type { Tensors } from '../src/engine/runtime/session.ts';
import { type Batch, randomBatch } from '../src/input/text/batches.ts';
import type { MethodName } from '../src/methods/tuners/registry.ts';
import { FROZEN } from '../src/methods/tuners/tuner.ts';
import type { BaseDtype } from '../src/program/bases/base-dtype.ts';
import { withBaseDtype } from '../src/program/bases/with-base-dtype.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { modelFeeds } from '../src/program/objectives/model-inputs.ts';
import { plainModel } from '../src/program/objectives/plain-model.ts';
import type { TaskModel } from '../src/program/objectives/task-model.ts';
import { ALONE, type Communicator, sharesHost } from '../src/program/parallel/communicator.ts';
import { Program } from '../src/program/program.ts';
import { startMethod } from '../src/studies/jobs/set-up-run.ts';
import { Random } from '../src/support/random.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import { differentiateStep } from '../src/training/train/differentiate-step.ts';
import { Updater } from '../src/training/train/updater.ts';
import { models, openModel } from '../src/use/trained/node/load-model.ts';
import { type BenchHeadKind, benchHead } from './bench-head.ts';
import { methodSection } from './method-section.ts';

/** Many more steps than are measured, so that the budget does not end. */
const TOTAL_STEPS = 1_000_000;

/** The training of a measured step: a method with a rank on a model, on one batch of random tokens. */
export interface StepSettings {
  folder: string;
  /** Default: two classes. */
  head?: BenchHeadKind;
  dtype: BaseDtype;
  method: MethodName;
  /** More settings of the method. */
  options?: Readonly<Record<string, unknown>>;
  r: number;
  targets: readonly string[];
  batch: number;
  length: number;
  /** Folder for a quantized base. Default: the user's cache. */
  cacheFolder?: string;
  /** Threads of this process. Default: the engine decides. */
  processThreads?: number;
  /** Whether weights stay mapped into memory. Default: only if processes share this host, as in a run. */
  mapped?: boolean;
}

export interface TrainingStep {
  trainable: number;
  /**
   * Takes a step. Returns milliseconds: `engine` is the engine's time with the JavaScript around it, `update`
   * is the processing of the gradient. If several processes share the batch, `engine` includes two other
   * times: `waiting` for the slowest process's gradient, and `transfer`, the all-reduce.
   */
  run(): Promise<{ engine: number; update: number; waiting: number; transfer: number }>;
  /** Differentiates while the engine's profiler writes a file with this prefix. */
  profiled(profilePrefix: string, steps: number): Promise<void>;
}

/** Computes the features of a batch, as a linear probe reads them. */
export async function featureBatch({ folder, dtype, batch, cacheFolder }: StepSettings) {
  const model = await withBaseDtype(
    models.machine,
    await openModel(folder, plainModel('FEATURE_EXTRACTION', 0)),
    dtype,
    {
      cacheFolder,
    },
  );
  const program = new Program(nodeEngine(model, 'cpu'), model, FROZEN.tuner);
  const feeds = inputsOf(model, randomBatch(1, batch, 1, 'bench'));
  return () => program.predict(FROZEN.values, feeds);
}

/** A batch of random tokens as a model reads it, or of random images. */
function inputsOf({ config: { content } }: Pick<TaskModel, 'config'>, texts: Batch): Tensors {
  if (!content) return modelFeeds(texts);
  const dims = [texts.batch, ...content.shape];
  const data = new Random(0, 'bench').normals(
    dims.reduce((a, b) => a * b),
    1,
  );
  return { [content.input]: { data, dims } };
}

export async function trainingStep(
  settings: StepSettings,
  communicator: Communicator = ALONE,
): Promise<TrainingStep> {
  const { folder, dtype, method, r, batch, length, cacheFolder, processThreads: threads } = settings;
  const head = benchHead(settings.head);
  const model = await withBaseDtype(models.machine, await openModel(folder, head.build), dtype, {
    cacheFolder,
  });
  const config = parseRunConfig(
    {
      defaults: 'huggingface',
      model: folder,
      method,
      output: 'unused',
      data: { train: 'unused', text: 0, label: 1 },
      ...methodSection(method, r, settings.targets, settings.options),
    },
    'bench',
  );
  const { run } = startMethod(config, model, TOTAL_STEPS);
  const values = run.tuner.initialValues(0, model.reader(0));
  const updater = new Updater(run, values, {
    learningRate: config.training.learning_rate,
    schedule: 'linear',
    warmupSteps: 0,
    totalSteps: TOTAL_STEPS,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
  });
  const texts = randomBatch(model.config.vocabSize, batch, length, 'bench');
  const feeds = { ...inputsOf(model, texts), ...head.labels(texts) };
  let [waiting, transfer] = [0, 0];
  const timed: Communicator = {
    ...communicator,
    allReduce(sums) {
      const started = performance.now();
      communicator.barrier();
      const met = performance.now();
      communicator.allReduce(sums);
      [waiting, transfer] = [met - started, performance.now() - met];
    },
  };
  const mapped = settings.mapped ?? sharesHost(communicator);
  const engine = nodeEngine(model, 'cpu', { threads, sharesHost: mapped });
  const open = () => new Program(engine, model, run.tuner, { communicator: timed });
  let program = open();
  return {
    trainable: values.length,
    async run() {
      const started = performance.now();
      const batches = [
        {
          feeds,
          examples: batch,
          tokens: batch * (model.config.content ? model.config.maxLength : length),
          weight: 1,
          number: updater.step,
        },
      ];
      const { gradient } = await differentiateStep(program, updater.values, batches, 0);
      const differentiated = performance.now();
      const { relaidOut } = updater.apply(gradient);
      const update = performance.now() - differentiated;
      if (relaidOut) {
        await program.release();
        program = open();
      }
      return { engine: differentiated - started, update, waiting, transfer };
    },
    async profiled(profilePrefix, steps) {
      const program = new Program(nodeEngine(model, 'cpu', { profilePrefix }), model, run.tuner);
      for (let i = 0; i < steps; i++) await program.differentiate(updater.values, feeds, 0, i);
      await program.release();
    },
  };
}
