import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { AdamW } from '../../src/methods/optim/adamw.ts';
import type { AdaLoraTuner } from '../../src/methods/tuners/adalora/adalora-tuner.ts';
import type { Draw, RankPolicy } from '../../src/methods/tuners/elastic/elastic-run.ts';
import type { MethodRun } from '../../src/methods/tuners/method-run.ts';
import type { TunableModel } from '../../src/methods/tuners/tuner.ts';
import type { Updater } from '../../src/training/train/updater.ts';

interface Case {
  initial: Record<string, number[]>;
  trace: {
    loss: number;
    ranks: number[];
    drawn: number[] | Record<string, number[]>;
    sensitivity?: number[];
    uncertainty?: number[];
  }[];
  final: Record<string, number[]>;
}

/** Training runs of the released code (scripts/oracle/elastic_training.py). */
const golden = JSON.parse(readFileSync('src/methods/tuners/fixtures/trainings.json', 'utf8')) as {
  rate: number;
  orth_reg_weight: number;
  cases: Record<'increlora' | 'increlora, whole' | 'elalora' | 'flexlora', Case>;
};

/** Gradient descent. An optimizer with moments would compare how each released code treats those of new triplets. */
const descent = (length: number) =>
  ({
    step(values, gradient, lr) {
      gradient.forEach((slope, i) => {
        values[i]! -= lr * slope;
      });
    },
    moments: { m: new Float32Array(length), v: new Float32Array(length), step: 0 },
    adopt: () => {},
  }) as Pick<AdamW, 'step' | 'moments' | 'adopt'> as AdamW;

/** The modules under test. Test files share their modules, so all of them are loaded again with the other optimizer. */
let own: Awaited<ReturnType<typeof load>>;
const load = async () => ({
  ...(await import('../support/measure-inputs-in.ts')),
  ...(await import('../../src/program/node/node-engine.ts')),
  ...(await import('../../src/program/program.ts')),
  ...(await import('../../src/training/train/differentiate-step.ts')),
  ...(await import('../../src/training/train/updater.ts')),
  ...(await import('../../src/methods/tuners/adalora/adalora-tuner.ts')),
  ...(await import('../../src/methods/tuners/elalora/definition.ts')),
  ...(await import('../../examples/methods/flexlora.mjs')),
  ...(await import('../../examples/methods/increlora.mjs')),
  ...(await import('../../examples/methods/increlora.mjs')),
  ...(await import('../../src/methods/tuners/elastic/elastic-run.ts')),
});

beforeAll(async () => {
  vi.resetModules();
  vi.doMock('../../src/methods/optim/adamw.ts', async (original) => ({
    ...(await original<typeof import('../../src/methods/optim/adamw.ts')>()),
    createAdamW: (tensors: readonly { end: number }[]) => descent(tensors.at(-1)!.end),
  }));
  own = await load();
});
afterAll(() => {
  vi.doUnmock('../../src/methods/optim/optimizer.ts');
  vi.resetModules();
});

const store = () => {
  throw new Error('not asked');
};

/** All six matrices of the layer. */
function startTuner(model: TunableModel, init_r: number, lora_alpha: number): AdaLoraTuner {
  const { orth_reg_weight } = golden;
  const settings = own.elaLoraConfigSchema.parse({ orth_reg_weight, lora_alpha });
  return own.AdaLoraTuner.create(model, { ...settings, init_r });
}

type Start = (model: TunableModel, drawn: { now: Case['trace'][number]['drawn'] }) => MethodRun;

function elastic(b: number, policy: (tuner: AdaLoraTuner, draw: Draw) => RankPolicy): Start {
  return (model, drawn) => {
    const draw: Draw = (_what, _step, length) => (drawn.now as number[]).splice(0, length);
    const tuner = startTuner(model, 3, 6);
    const movement = { b, schedule: 'cubic' } as const;
    return new own.ElasticRun({ tuner, schedule, movement, policy: policy(tuner, draw), store });
  };
}

const schedule = { tinit: 3, tfinal: 6, deltaT: 4, totalStep: 24 };

function growing(target: number, options: object = {}): Start {
  return (model, drawn) =>
    new own.IncreLoraRun({
      tuner: startTuner(model, 1, 4),
      growth: {
        schedule: { tinit: 4, tfinal: 0, deltaT: 3, totalStep: 24 },
        target,
        modules: 2,
        gained: 2,
        exceeds: true,
      },
      config: own.increLoraConfigSchema.parse({ lora_alpha: 4, beta2: 0.8, ...options }),
      draw: (what: string) => (drawn.now as Record<string, number[]>)[what]!,
      store,
    });
}

function elaLoraPolicy({ layout }: AdaLoraTuner, draw: Draw): RankPolicy {
  const config = own.elaLoraConfigSchema.parse({ k: 2, beta2: 0.8 });
  return new own.ElaLoraPolicy(layout.length, config, draw);
}

const RUNS: Record<keyof typeof golden.cases, Start> = {
  increlora: growing(18),
  'increlora, whole': growing(15, { score_batches: 'last' }),
  elalora: elastic(3, elaLoraPolicy),
  flexlora: elastic(2, (_, draw) => new own.FlexLoraPolicy({ removal: 'signed' }, draw)),
};

function newUpdater(run: MethodRun, values: Float32Array): InstanceType<typeof Updater> {
  return new own.Updater(run, values, {
    learningRate: golden.rate,
    schedule: 'constant',
    warmupSteps: 0,
    totalSteps: 24,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 0,
  });
}

it.each(Object.keys(RUNS) as (keyof typeof RUNS)[])('%s trains as its released code does', async (name) => {
  const { initial, trace, final } = golden.cases[name];
  const { model, feeds } = own.measuredModel('bert');
  const engine = own.nodeEngine(model, 'cpu');
  const drawn = { now: trace[0]!.drawn };
  const parts = name === 'increlora, whole' ? 2 : 1;
  let run = RUNS[name](model, drawn);
  let program = new own.Program(engine, model, run.tuner);
  let values: Float32Array = new Float32Array(run.tuner.layout.length);
  for (const { name: tensor } of run.tuner.layout.segments)
    run.tuner.layout.read(values, tensor).set(initial[tensor]!);
  let updater = newUpdater(run, values);
  for (const [i, { loss, ranks, sensitivity, uncertainty, ...expected }] of trace.entries()) {
    drawn.now = expected.drawn;
    const batches = Array.from({ length: parts }, (_, part) => {
      const number = i * parts + part;
      return { feeds: feeds[number % 4]!, number, examples: 0, tokens: 0, weight: 1 / parts };
    });
    const found = await own.differentiateStep(program, values, batches, 0);
    // Both train in 32 bits. FlexLoRA's new triplets are far from orthogonal: one step of the orthogonality term
    // multiplies differences by some hundred.
    expect(found.loss).toBeCloseTo(loss, name === 'flexlora' && i > 14 ? 3 : 5);
    const { relaidOut } = updater.apply(found.gradient.slice());
    expect(Object.values(run.ranks()), `step ${i + 1}`).toEqual(ranks);
    if (sensitivity && uncertainty) {
      const state = run.state();
      const close = (own: ArrayLike<number>, theirs: number[]) =>
        theirs.forEach((value, k) => expect(own[k]! / value || 1).toBeCloseTo(1, 3));
      close(state.sensitivity!, sensitivity);
      close(state.uncertainty!, uncertainty);
    }
    values = updater.values;
    if (!relaidOut) continue;
    // A resumed run continues in the same way.
    const [state, optimizer] = structuredClone([run.state(), updater.moments()] as const);
    run = RUNS[name](model, drawn);
    run.restore(state);
    updater = newUpdater(run, values);
    updater.restore(i + 1, values, optimizer);
    await program.release();
    program = new own.Program(engine, model, run.tuner);
  }
  for (const { name: tensor } of run.tuner.layout.segments)
    run.tuner.layout
      .read(values, tensor)
      .forEach((value, at) => expect(value, tensor).toBeCloseTo(final[tensor]![at]!, 3));
  await program.release();
  model.close();
});
