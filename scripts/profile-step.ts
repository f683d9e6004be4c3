import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kindWithShapes, stepProfile } from '../bench/step-profile.ts';
import { lower } from '../src/onnx/index.ts';
import { createSession } from '../src/runtime/node/create-session.ts';
import { Random } from '../src/support/random.ts';
import { modelFeeds } from '../src/tasks/model-inputs.ts';
import type { BaseDtype } from '../src/train/base-dtype/base-dtype.ts';
import type { Engine } from '../src/train/engine.ts';
import { createMethod } from '../src/train/method.ts';
import { withBaseDtype } from '../src/train/node/base-dtype/with-base-dtype.ts';
import { loadModel } from '../src/train/node/load-model.ts';
import { nodeEngine } from '../src/train/node/node-engine.ts';
import { Program } from '../src/train/program.ts';
import { parseRunConfig } from '../src/train/run-config.ts';
import { Updater } from '../src/train/updater.ts';

/*
 * Where a training step of AdaLoRA (or LoRA) goes, by the engine's profiler, as a table: kernels by kind, what the engine
 * takes between them, what JavaScript takes. For example
 *   npx tsx scripts/profile-step.ts --model ../shared/models/all-MiniLM-L6-v2 --base-dtype int8 --batch 32 --length 64
 */

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: '../shared/models/all-MiniLM-L6-v2' },
    method: { type: 'string', default: 'adalora' },
    'base-dtype': { type: 'string', default: 'float32' },
    batch: { type: 'string', default: '32' },
    length: { type: 'string', default: '64' },
    steps: { type: 'string', default: '5' },
    /** Every shape of every kernel. */
    shapes: { type: 'boolean', default: false },
  },
});
const [batch, length, steps] = [flags.batch, flags.length, flags.steps].map(Number);
const cache = mkdtempSync(join(tmpdir(), 'adalora-profile-base-'));
try {
  const config = parseRunConfig(
    {
      model: flags.model,
      method: flags.method,
      output: 'unused',
      base_dtype: flags['base-dtype'],
      data: { train: 'unused', text: 0, label: 1 },
      adalora: { init_r: 12, target_r: 8, tinit: 1, tfinal: 1, deltaT: 10, orth_reg_weight: 0.1 },
    },
    'profile-step.ts',
  );
  const plain = loadModel(flags.model, 'single_label_classification');
  const model = withBaseDtype(plain, config.base_dtype as BaseDtype, { cacheFolder: cache });
  const { run } = createMethod(config, model, 1_000_000);
  const values = run.tuner.initialValues(0, model.reader(0));
  const updater = new Updater(run, values, {
    learningRate: 1e-3,
    schedule: 'linear',
    warmupSteps: 0,
    totalSteps: 1_000_000,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
  });
  const random = new Random(0, 'profile');
  const size = batch * length;
  const feeds = {
    ...modelFeeds({
      inputIds: Int32Array.from({ length: size }, () => random.integer(model.config.vocabSize)),
      attentionMask: new Int32Array(size).fill(1),
      tokenTypeIds: new Int32Array(size),
      batch,
      length,
    }),
    labels: { data: Int32Array.from({ length: batch }, (_, i) => i % 2), dims: [batch] },
  };
  const spent = { engine: [] as number[], update: [] as number[] };
  const take = async (engine: Engine) => {
    const program = new Program(engine, model, run.tuner);
    for (let i = 0; i < steps; i++) {
      const started = performance.now();
      const { gradient } = await program.differentiate(updater.values, feeds, 0, i);
      const differentiated = performance.now();
      updater.apply(gradient);
      spent.engine.push(differentiated - started);
      spent.update.push(performance.now() - differentiated);
    }
    await program.release();
  };
  const profiled = (profilePrefix: string) =>
    take({
      open: (outputs) =>
        createSession(lower(outputs, { target: 'cpu', locate: model.locate }), {
          device: 'cpu',
          weightFolder: model.weightFolder,
          profilePrefix,
        }),
    });
  const lines = await stepProfile(steps, profiled, flags.shapes ? kindWithShapes : undefined);
  spent.engine.length = spent.update.length = 0;
  await take(nodeEngine(model, 'cpu'));
  const kernels = lines.reduce((sum, { ms }) => sum + ms, 0);
  for (const { kind, kernels, ms, share } of lines)
    console.log(`| ${kind} | ${kernels} | ${ms.toFixed(2)} | ${(100 * share).toFixed(1)} % |`);
  console.log(
    `kernels ${kernels.toFixed(1)} ms; without profiler: step ${median(spent.engine).toFixed(1)} ms in the engine, ${median(spent.update).toFixed(2)} ms update`,
  );
} finally {
  rmSync(cache, { recursive: true, force: true });
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
