import { lower } from '../src/onnx/index.ts';
import { createSession } from '../src/runtime/node/create-session.ts';
import { Random } from '../src/support/random.ts';
import { modelFeeds } from '../src/tasks/model-inputs.ts';
import type { Batch } from '../src/text/collate.ts';
import type { BaseDtype } from '../src/train/base-dtype/base-dtype.ts';
import type { Engine } from '../src/train/engine.ts';
import { createMethod } from '../src/train/method.ts';
import { withBaseDtype } from '../src/train/node/base-dtype/with-base-dtype.ts';
import { type LoadedModel, loadModel } from '../src/train/node/load-model.ts';
import { nodeEngine } from '../src/train/node/node-engine.ts';
import { peakMemoryMb } from '../src/train/node/peak-memory.ts';
import { Program } from '../src/train/program.ts';
import { parseRunConfig } from '../src/train/run-config.ts';
import { Updater } from '../src/train/updater.ts';
import { type ProductRate, productRate } from './product-rate.ts';
import { serve } from './protocol.ts';
import type { BenchCase } from './shapes.ts';

/*
 * Takes one training step after the other on request, as python/peft_step.py does: prepare (a bench case, the folder of
 * its checkpoint and how the base is kept), step, memory, products, exit.
 */

/** So many steps that the budget does not end while it is measured. */
const TOTAL_STEPS = 1_000_000;

const PROFILED_STEPS = 3;

interface Prepared {
  trainable: number;
  step(): Promise<void>;
  products(): Promise<ProductRate>;
}

type Preparation = BenchCase & { folder: string; dtype: BaseDtype; targets: string[] };

function prepare({ folder, dtype, method, r, targets, batch, length }: Preparation): Prepared {
  const model = withBaseDtype(loadModel(folder, 'single_label_classification'), dtype);
  const config = parseRunConfig(
    {
      model: folder,
      method,
      output: 'unused',
      data: { train: 'unused', text: 0, label: 1 },
      adalora: {
        init_r: r,
        target_r: Math.round(r / 1.5),
        tinit: '10%',
        tfinal: '10%',
        deltaT: 10,
        orth_reg_weight: 0.1,
        target_modules: targets,
      },
      lora: { r, target_modules: targets },
    },
    'bench',
  );
  const { run } = createMethod(config, model, TOTAL_STEPS);
  const values = run.tuner.initialValues(0, model.reader(0));
  const { training } = config;
  const updater = new Updater(run, values, {
    learningRate: training.learning_rate,
    schedule: 'linear',
    warmupSteps: 0,
    totalSteps: TOTAL_STEPS,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
  });
  const program = new Program(nodeEngine(model, 'cpu'), model, run.tuner);
  const labels = { data: Int32Array.from({ length: batch }, (_, i) => i % 2), dims: [batch] };
  const feeds = { ...modelFeeds(randomBatch(model, batch, length)), labels };
  const profiled = async (profilePrefix: string) => {
    const { weightFolder, locate } = model;
    const options = { device: 'cpu', weightFolder, profilePrefix } as const;
    const engine: Engine = {
      open: (outputs) => createSession(lower(outputs, { target: 'cpu', locate }), options),
    };
    const program = new Program(engine, model, run.tuner);
    for (let i = 0; i < PROFILED_STEPS; i++) await program.differentiate(updater.values, feeds, 0, i);
    await program.release();
  };
  return {
    trainable: values.length,
    products: () => productRate(profiled),
    async step() {
      const { gradient } = await program.differentiate(updater.values, feeds, 0, updater.step);
      updater.apply(gradient);
    },
  };
}

function randomBatch(model: LoadedModel, batch: number, length: number): Batch {
  const random = new Random(0, 'bench');
  const size = batch * length;
  return {
    inputIds: Int32Array.from({ length: size }, () => random.integer(model.config.vocabSize)),
    attentionMask: new Int32Array(size).fill(1),
    tokenTypeIds: new Int32Array(size),
    batch,
    length,
  };
}

let prepared: Prepared;

await serve({
  prepare(request) {
    prepared = prepare(request as unknown as Preparation);
    return { trainable: prepared.trainable };
  },
  async step() {
    const started = performance.now();
    await prepared.step();
    return { ms: performance.now() - started };
  },
  memory: () => ({ peak_mb: peakMemoryMb() }),
  products: () => prepared.products(),
});
process.exit(0);
