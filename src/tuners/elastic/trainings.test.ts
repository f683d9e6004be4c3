import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { measuredModel } from '../../../tests/support/measure-inputs-in.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { Program } from '../../program/program.ts';
import { gather } from '../../support/gather.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { elaLoraConfigSchema } from '../elalora/config.ts';
import { ElaLoraPolicy } from '../elalora/elalora-policy.ts';
import { flexLoraConfigSchema } from '../flexlora/config.ts';
import { FlexLoraPolicy } from '../flexlora/flexlora-policy.ts';
import { IncreLoraRun } from '../increlora/increlora-run.ts';
import { adaLoraScale } from '../low-rank/scales.ts';
import type { MethodRun } from '../method-run.ts';
import type { TunableModel } from '../tuner.ts';
import type { Draw } from './draw.ts';
import { ElasticRun, type RankPolicy } from './elastic-run.ts';

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
const golden = JSON.parse(readFileSync('src/tuners/fixtures/trainings.json', 'utf8')) as {
  rate: number;
  orth_reg_weight: number;
  cases: Record<'increlora' | 'elalora' | 'flexlora', Case>;
};
const store = () => {
  throw new Error('not asked');
};

/** All six matrices of the layer. */
function startTuner(model: TunableModel, init_r: number, lora_alpha: number): AdaLoraTuner {
  const { orth_reg_weight } = golden;
  const settings = elaLoraConfigSchema.parse({ orth_reg_weight, lora_alpha });
  return AdaLoraTuner.create(model, { ...settings, init_r });
}

function elastic(policy: (tuner: AdaLoraTuner, draw: Draw) => RankPolicy) {
  return (model: TunableModel, drawn: { now: Case['trace'][number]['drawn'] }): MethodRun => {
    const draw: Draw = (_what, _step, length) => (drawn.now as number[]).splice(0, length);
    const tuner = startTuner(model, 3, 6);
    return new ElasticRun({ tuner, schedule, policy: policy(tuner, draw), store });
  };
}

const schedule = { tinit: 3, tfinal: 6, deltaT: 4, totalStep: 24 };
const RUNS: Record<
  keyof typeof golden.cases,
  (model: TunableModel, drawn: { now: Case['trace'][number]['drawn'] }) => MethodRun
> = {
  increlora: (model, drawn) =>
    new IncreLoraRun({
      tuner: startTuner(model, 1, 4),
      growth: {
        schedule: { tinit: 4, tfinal: 0, deltaT: 3, totalStep: 24 },
        target: 18,
        modules: 2,
        gained: 2,
      },
      scaleOf: (rank) => adaLoraScale({ lora_alpha: 4, init_r: rank }),
      advance: true,
      betas: [0.85, 0.8],
      draw: (what) => (drawn.now as Record<string, number[]>)[what]!,
      store,
    }),
  elalora: elastic(
    ({ layout }, draw) =>
      new ElaLoraPolicy(layout.length, elaLoraConfigSchema.parse({ b: 3, k: 2, beta2: 0.8 }), schedule, draw),
  ),
  flexlora: elastic(
    (_, draw) => new FlexLoraPolicy(flexLoraConfigSchema.parse({ b: 2, removal: 'signed' }), schedule, draw),
  ),
};

it.each(Object.keys(RUNS) as (keyof typeof RUNS)[])('%s trains as its released code does', async (name) => {
  const { initial, trace, final } = golden.cases[name];
  const { model, feeds } = measuredModel('bert');
  const engine = nodeEngine(model, 'cpu');
  const drawn = { now: trace[0]!.drawn };
  let run = RUNS[name](model, drawn);
  let program = new Program(engine, model, run.tuner);
  let values: Float32Array = new Float32Array(run.tuner.layout.length);
  for (const { name: tensor } of run.tuner.layout.segments)
    run.tuner.layout.read(values, tensor).set(initial[tensor]!);
  for (const [i, { loss, ranks, sensitivity, uncertainty, ...expected }] of trace.entries()) {
    drawn.now = expected.drawn;
    const found = await program.differentiate(values, feeds[i % 4]!, 0, i);
    // Both train in 32 bits. FlexLoRA's new triplets are far from orthogonal: one step of the orthogonality term
    // multiplies differences by some hundred.
    expect(found.loss).toBeCloseTo(loss, name === 'flexlora' && i > 14 ? 3 : 5);
    const gradient = found.gradient.slice(0, values.length);
    run.beforeStep?.(i + 1, values, gradient, found.gradient.slice(values.length));
    gradient.forEach((slope, at) => {
      values[at]! -= golden.rate * slope;
    });
    const after = run.afterStep!(i + 1, values, gradient);
    expect(Object.values(run.ranks()), `step ${i + 1}`).toEqual(ranks);
    if (sensitivity && uncertainty) {
      const state = run.state();
      const close = (own: ArrayLike<number>, theirs: number[]) =>
        theirs.forEach((value, k) => expect(own[k]! / value || 1).toBeCloseTo(1, 3));
      close(state.sensitivity!, sensitivity);
      close(state.uncertainty!, uncertainty);
    }
    if (!after.relayout) continue;
    values = gather(values, after.relayout.indices);
    after.relayout.begin?.(values);
    // A resumed run continues in the same way.
    const state = structuredClone(run.state());
    run = RUNS[name](model, drawn);
    run.restore(state);
    await program.release();
    program = new Program(engine, model, run.tuner);
  }
  for (const { name: tensor } of run.tuner.layout.segments)
    run.tuner.layout
      .read(values, tensor)
      .forEach((value, at) => expect(value, tensor).toBeCloseTo(final[tensor]![at]!, 3));
  await program.release();
  model.close();
});
