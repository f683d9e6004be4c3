import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  gora,
  goraConfigSchema,
  goraRanks,
  goraStart,
  WeightGradientTuner,
  weightImportance,
} from '../../examples/methods/gora.mjs';
import { loadCase } from '../../scripts/conformance/load-case.ts';
import { feedsOf, withPrefix } from '../../scripts/conformance/read-case.ts';
import type { LoraTuner } from '../../src/methods/tuners/lora/lora-tuner.ts';
import { factorName } from '../../src/methods/tuners/low-rank/factors.ts';
import type { MethodRun } from '../../src/methods/tuners/method-run.ts';
import type { Tuner } from '../../src/methods/tuners/tuner.ts';
import { initialize } from '../../src/models/bind-checkpoint.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { Program } from '../../src/program/program.ts';
import { FAMILIES, tinyClassifier } from '../contracts/tiny-families.ts';
import { readSafetensors } from '../support/safetensors-file.ts';

type ByModule<T> = Record<string, T>;

/** Computed by the released code, and `paper` by the paper's formulas (scripts/oracle/gora.py). */
const golden = JSON.parse(readFileSync('src/methods/tuners/fixtures/gora.json', 'utf8')) as {
  r: number;
  alpha: number;
  gamma: number;
  sizes: ByModule<[inFeatures: number, outFeatures: number]>;
  weights: ByModule<number[]>;
  gradients: ByModule<number[]>;
  paper: ByModule<number>;
  cases: (Record<'ranks' | 'scales', ByModule<number>> &
    Record<'a' | 'b', ByModule<number[]>> & {
      features: 'sqrt' | 'sum';
      importance: 'mean' | 'frobenius';
      min_rank: number;
      max_rank: number;
    })[];
  /** By kind. */
  importance: Record<string, ByModule<number>>;
  /** Larger modules, in which costs and shares lead to different ranks. */
  large: {
    r: number;
    sizes: ByModule<[inFeatures: number, outFeatures: number]>;
    cases: { settings: object; importance: ByModule<number>; ranks: ByModule<number> }[];
  };
};

const names = Object.keys(golden.sizes);
const sizes = Object.values(golden.sizes).map(([inFeatures, outFeatures]) => ({ inFeatures, outFeatures }));
const importanceOf = (kind: string) =>
  names.map((name) =>
    weightImportance(
      Float32Array.from(golden.weights[name]!),
      Float32Array.from(golden.gradients[name]!),
      kind,
      golden.sizes[name]![1],
    ),
  );

describe.each(golden.cases)(
  'with $features of features, $importance, ranks $min_rank to $max_rank',
  (given) => {
    const { features, importance, min_rank, max_rank } = given;

    it('gives the ranks of the released code', () => {
      const config = goraConfigSchema.parse({
        r: golden.r,
        features,
        importance,
        min_rank,
        max_rank,
        rounding: 'down',
      });
      expect(goraRanks(sizes, importanceOf(importance), config)).toEqual(Object.values(given.ranks));
    });

    it.each(names)('gives its B for %s', (name) => {
      const [inFeatures] = golden.sizes[name]!;
      const b = goraStart(
        Float32Array.from(given.a[name]!),
        Float32Array.from(golden.gradients[name]!),
        given.ranks[name]!,
        (golden.gamma * Math.sqrt(inFeatures)) / golden.alpha,
      );
      // The released code inverts the matrix in 32 bits.
      given.b[name]!.forEach((value, i) => {
        expect(b[i]).toBeCloseTo(value, 6);
      });
      expect(given.scales[name]).toBeCloseTo(golden.alpha / Math.sqrt(given.ranks[name]!), 6);
    });
  },
);

it.each(Object.keys(golden.importance) as string[])(
  'gives the importance of the released code: %s',
  (kind) => {
    const theirs = Object.values(golden.importance[kind]!);
    // The released code sums in 32 bits.
    importanceOf(kind).forEach((value, k) => expect(value / theirs[k]!).toBeCloseTo(1, 5));
  },
);

it.each(golden.large.cases)(
  'gives the ranks of the released code with $settings',
  ({ settings, importance, ranks }) => {
    const { r, sizes: large } = golden.large;
    const modules = Object.values(large).map(([inFeatures, outFeatures]) => ({ inFeatures, outFeatures }));
    const config = goraConfigSchema.parse({ r, rounding: 'down', min_rank: 1, max_rank: 48, ...settings });
    expect(goraRanks(modules, Object.values(importance), config)).toEqual(Object.values(ranks));
  },
);

it('gives even ranks if a softmax has nothing to tell apart', () => {
  const config = goraConfigSchema.parse({ r: 3, min_rank: 1, features: 'sum', softmax_temperature: 0.5 });
  const even = sizes.map(() => ({ inFeatures: 8, outFeatures: 8 }));
  expect(
    goraRanks(
      even,
      even.map(() => 0.1),
      config,
    ),
  ).toEqual(even.map(() => 3));
});

it('gives the ranks of the paper', () => {
  const config = goraConfigSchema.parse({ r: golden.r, min_rank: 1 });
  expect(goraRanks(sizes, importanceOf('mean'), config)).toEqual(Object.values(golden.paper));
});

describe.each(FAMILIES)('a run on %s', (family) => {
  const model = tinyClassifier(family);
  const read = (parameter: string, shape: readonly number[]) => initialize(parameter, shape, 1, 0.1);
  const start = (): MethodRun =>
    gora.start(model, goraConfigSchema.parse({ r: 2, lora_alpha: 4, min_rank: 1 }), 10);

  it('starts with a step against the gradient, as far as A allows', async () => {
    const run = start();
    const probe = run.measurement!.tuner as Tuner & {
      gradientOf(path: string, gradient: Float32Array): Float32Array;
    };
    const initial = probe.initialValues(3, read);
    const gradient = initial.map((_, i) => Math.sin(i) / 10);
    const found = await run.measurement!.settle(
      3,
      initial,
      async () => gradient,
      () => {
        throw new Error('not asked');
      },
    );
    const values = run.tuner.initialValues(3, read);
    found.begin!(values);
    const { modules, layout } = run.tuner as LoraTuner;
    for (const { path, rank, scale, inFeatures } of modules) {
      const [a, b] = (['A', 'B'] as const).map((factor) => layout.read(values, factorName(path, factor))) as [
        Float32Array,
        Float32Array,
      ];
      const whole = probe.gradientOf(path, gradient);
      // The difference between the increment and -γ √(in / r) G is orthogonal to the rows of A.
      const step = -0.05 * Math.sqrt(inFeatures / rank);
      for (let k = 0; k < rank; k++) {
        let along = 0;
        for (let j = 0; j < inFeatures; j++) {
          let increment = 0;
          for (let l = 0; l < rank; l++) increment += scale * b[l]! * a[l * inFeatures + j]!;
          along += (increment - step * whole[j]!) * a[k * inFeatures + j]!;
        }
        expect(along).toBeCloseTo(0, 6);
      }
    }
    const other = start();
    other.restore(structuredClone(run.state()));
    expect(other.tuner.layout.segments).toEqual(layout.segments);
    expect(other.store!(values, 'base')).toEqual(run.store!(values, 'base'));
  });
});

it.each([
  [{ min_rank: 9 }, 'min_rank'],
  [{ max_rank: 7 }, 'max_rank'],
  [{ gamma: -1 }, 'gamma'],
  [{ direction: 'down' }, 'direction'],
])('rejects %j', (settings, key) => {
  const result = goraConfigSchema.safeParse(settings);
  expect(result.error?.issues.map(({ path }: { path: unknown[] }) => path[0])).toEqual([key]);
});

it.each([
  ['bert', 'bert.encoder.layer.0.output.dense'],
  ['gpt2', 'transformer.h.0.attn.c_attn'],
])('the measured gradient of %s is the gradient of the weight, by finite differences', async (name, path) => {
  const folder = `src/methods/tuners/fixtures/eva/${name}`;
  const batch = withPrefix(readSafetensors(`${folder}/batches.safetensors`), '0.');
  const model = loadCase(`${folder}/base`, name === 'bert' ? 'SEQ_CLS' : 'CAUSAL_LM', batch);
  const module = { ...model.linears.find((one) => one.path === path)!, rank: 1, scale: 1 };
  const tuner = new WeightGradientTuner([module], []);
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const feeds = feedsOf(model, batch);
  const values = tuner.initialValues(0, model.reader(0));
  const gradient = (await program.differentiate(values, feeds, 0, 0)).gradient.slice();
  // The step is along the gradient. In 32 bits, a difference over this step has four accurate digits.
  const length = Math.hypot(...gradient);
  const step = 0.05 / length;
  const at = (sign: number) =>
    program.loss(
      values.map((value: number, i: number) => value + sign * step * gradient[i]!),
      feeds,
    );
  const slope = ((await at(1)) - (await at(-1))) / (2 * step);
  expect(slope / length ** 2).toBeCloseTo(1, 2);
  // The weight is returned as [out, in], even if the checkpoint stores it the other way.
  const { inFeatures, outFeatures, transposed = false } = module;
  const stored = model.reader(0)(`${path}.weight`, []);
  expect(tuner.weight(module)[1]).toBe(stored[transposed ? outFeatures : 1]);
  expect(tuner.weight(module)).toHaveLength(inFeatures * outFeatures);
  await program.release();
  model.close();
});
