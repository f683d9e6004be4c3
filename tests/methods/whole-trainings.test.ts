import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { eva } from '../../examples/methods/eva.mjs';
import { gora } from '../../examples/methods/gora.mjs';
import type { Tensors } from '../../src/engine/runtime/session.ts';
import { LoraTuner } from '../../src/methods/tuners/lora/lora-tuner.ts';
import { parseFactor } from '../../src/methods/tuners/low-rank/factors.ts';
import type { AnyMethod } from '../../src/methods/tuners/method-definition.ts';
import type { MethodRun } from '../../src/methods/tuners/method-run.ts';
import { methodNamed } from '../../src/methods/tuners/registry.ts';
import type { Engine } from '../../src/program/engine.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { Program } from '../../src/program/program.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { gatherValues } from '../../src/support/numbers.ts';
import { moduleInputs } from '../../src/training/train/measure-first.ts';
import { measuredModel } from '../support/measure-inputs-in.ts';

interface Case {
  settings: Record<string, unknown>;
  /** The inputs of all matrices, for methods that measure. */
  ranks?: number[];
  initial: Record<string, number[]>;
  /** `kept`: after an allocation, 1 for each triplet of each matrix that is kept. */
  trace: { loss: number; kept?: number[][] }[];
  final: Record<string, number[]>;
}

/** Trainings by released code and PEFT (scripts/oracle/measured_training.py). */
const golden = JSON.parse(readFileSync('src/methods/tuners/fixtures/measured-trainings.json', 'utf8')) as {
  rate: number;
  cases: Record<'igulora' | 'gora' | 'eva', Case>;
};
/** All six matrices of the layer. */
const TARGETS = ['query', 'key', 'value', 'output.dense', 'intermediate.dense'];

afterEach(() => vi.restoreAllMocks());

const METHODS: Record<keyof typeof golden.cases, AnyMethod> = { igulora: methodNamed('igulora'), eva, gora };

function startRun(
  name: keyof typeof METHODS,
  model: LoadedModel,
  settings: object,
  steps: number,
): MethodRun {
  const { config, start } = METHODS[name];
  const given = { ...settings, target_modules: TARGETS };
  return start(model, config!.parse(given), steps, 0);
}

/** Measures as before a run's first step, on the batches in their order, and returns the initial values. */
async function measured(run: MethodRun, model: LoadedModel, engine: Engine, feeds: readonly Tensors[]) {
  const { tuner, steps, settle } = run.measurement!;
  const program = new Program(engine, model, tuner);
  async function gradientAt(values: Float32Array) {
    const sum = new Float32Array(values.length);
    for (let i = 0; i < steps; i++) {
      const { gradient } = await program.differentiate(values, feeds[i]!, 0, i);
      gradient.forEach((slope, at) => {
        sum[at]! += slope / steps;
      });
    }
    return sum;
  }
  function* cycled() {
    for (;;) yield* feeds;
  }
  const found = await settle(0, tuner.initialValues(0, model.reader(0)), gradientAt, (paths) =>
    moduleInputs({ model, engine }, paths, cycled()),
  );
  await program.release();
  const values = run.tuner.initialValues(0, model.reader(0));
  found.begin!(values);
  return values;
}

/** The recorded values in the tuner's layout. */
function recorded({ layout }: Pick<MethodRun['tuner'], 'layout'>, tensors: Case['initial']): Float32Array {
  const values = new Float32Array(layout.length);
  for (const { name } of layout.segments) layout.read(values, name).set(tensors[name]!);
  return values;
}

/** A factor without the triplets that are not kept. */
function keptOnly(name: string, values: readonly number[], kept: ReadonlyMap<string, number[]>): number[] {
  const own = parseFactor(name);
  const mask = own && kept.get(own.path);
  if (!mask) return [...values];
  const width = own.factor === 'A' ? values.length / mask.length : 1;
  return values.filter((_, i) => mask[Math.floor(i / width) % mask.length] === 1);
}

it.each(Object.keys(golden.cases) as (keyof typeof golden.cases)[])(
  '%s trains as its reference does',
  async (name) => {
    const { settings, ranks, initial, trace, final } = golden.cases[name];
    const { model, feeds } = measuredModel('bert');
    const engine = nodeEngine(model, 'cpu');
    const orthogonality = name === 'igulora' ? { orth_reg_weight: 0 } : {};
    const begin = () => startRun(name, model, { ...settings, ...orthogonality }, trace.length);
    let run = begin();
    let values: Float32Array;
    if (run.measurement) {
      // GoRA draws A, and computes B for it.
      if (name === 'gora')
        vi.spyOn(LoraTuner.prototype, 'initialValues').mockImplementation(function (this: LoraTuner) {
          return recorded(this, initial);
        });
      values = await measured(run, model, engine, feeds);
      expect(run.tuner.sites.map(({ path }) => run.ranks()[path])).toEqual(ranks);
      // PEFT decomposes in 32 bits, and GoRA's code inverts in 32 bits.
      recorded(run.tuner, initial).forEach((value, i) => expect(values[i]).toBeCloseTo(value, 4));
    } else values = recorded(run.tuner, initial);
    let program = new Program(engine, model, run.tuner);
    const paths = run.tuner.sites.map(({ path }) => path);
    let kept = new Map<string, number[]>();
    for (const [i, { loss, kept: theirs }] of trace.entries()) {
      const found = await program.differentiate(values, feeds[i % 4]!, 0, i);
      // Both train in 32 bits, and differences grow with the steps.
      expect(found.loss, `step ${i + 1}`).toBeCloseTo(loss, 4);
      const gradient = found.gradient.slice();
      run.beforeStep?.(i + 1, values, gradient);
      gradient.forEach((slope, at) => {
        values[at]! -= golden.rate * slope;
      });
      const after = run.afterStep?.(i + 1, values, gradient);
      if (theirs) {
        kept = new Map(paths.map((path, k) => [path, theirs[k]!]));
        const counts = theirs.map((mask) => mask.reduce((a, b) => a + b, 0));
        expect(
          paths.map((path) => run.ranks()[path] ?? 0),
          `step ${i + 1}`,
        ).toEqual(counts);
      }
      if (!after?.relayout) continue;
      values = gatherValues(values, after.relayout.indices);
      after.relayout.begin?.(values);
      const state = structuredClone(run.state());
      run = begin();
      run.restore(state);
      await program.release();
      program = new Program(engine, model, run.tuner);
    }
    const { layout } = run.tuner;
    expect(layout.segments.length).toBeGreaterThan(6);
    for (const { name: tensor } of layout.segments) {
      const expected = keptOnly(tensor, final[tensor]!, kept);
      expect(layout.read(values, tensor), tensor).toHaveLength(expected.length);
      layout.read(values, tensor).forEach((value, at) => expect(value, tensor).toBeCloseTo(expected[at]!, 3));
    }
    await program.release();
    model.close();
  },
);
