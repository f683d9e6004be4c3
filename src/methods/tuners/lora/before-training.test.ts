import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { factorName } from '../low-rank/factors.ts';
import { MeasuredRun } from '../measured/measured-lora.ts';
import type { TunableModel } from '../tuner.ts';
import { measureGradients } from './before-training.ts';
import { isRankStabilised, loraConfigSchema } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';

const { ranks: fixture } = JSON.parse(readFileSync('src/methods/tuners/fixtures/beyond.json', 'utf8')) as {
  ranks: {
    r: number;
    shapes: [inFeatures: number, outFeatures: number][];
    /** [out, in], row-major. */
    gradients: number[][];
    strengths: number[][];
    ranks: number[];
  };
};

const modules = fixture.shapes.map(([inFeatures, outFeatures], k) => ({
  path: `m${k}`,
  inFeatures,
  outFeatures,
  rank: fixture.r,
  scale: 0.5,
}));

function ranked(settings: object = {}) {
  const config = loraConfigSchema.parse({ allocation: 'before-training', r: fixture.r, ...settings });
  const even = new LoraTuner({ lora_dropout: 0 }, modules, []);
  return new MeasuredRun({
    model: {} as TunableModel,
    config: { ...config, use_rslora: isRankStabilised(config) },
    even,
    namesModules: true,
    ...measureGradients(even, config),
  });
}

/** The gradient of the linear loss Σ ⟨G_k, B_k A_k⟩: G Aᵀ for B, and Bᵀ G for A. */
function gradientOf({ layout }: LoraTuner, values: Float32Array): Float32Array {
  const gradient = new Float32Array(layout.length);
  modules.forEach(({ path, inFeatures, outFeatures }, k) => {
    const [a, b] = [factorName(path, 'A'), factorName(path, 'B')];
    const [rank] = layout.get(a).shape;
    for (let i = 0; i < rank!; i++) {
      for (let row = 0; row < outFeatures; row++) {
        for (let column = 0; column < inFeatures; column++) {
          const g = fixture.gradients[k]![row * inFeatures + column]!;
          layout.read(gradient, b)[row * rank! + i]! += g * layout.read(values, a)[i * inFeatures + column]!;
          layout.read(gradient, a)[i * inFeatures + column]! += g * layout.read(values, b)[row * rank! + i]!;
        }
      }
    }
  });
  return gradient;
}

const noInputs = () => {
  throw new Error('not asked');
};

async function settled(run: MeasuredRun, seed = 0) {
  const tuner = run.measurement.tuner as LoraTuner;
  let calls = 0;
  const found = await run.measurement.settle(
    seed,
    new Float32Array(tuner.layout.length),
    (values) => {
      calls++;
      return Promise.resolve(gradientOf(tuner, values));
    },
    noInputs,
  );
  expect(calls).toBe(2);
  return found;
}

it.each([0, 1, 2])(
  'gives the same ranks as the singular values of whole gradients (seed %i)',
  async (seed) => {
    const run = ranked();
    const { allocation, pattern } = await settled(run, seed);
    expect(Object.values(run.ranks())).toEqual(fixture.ranks);
    expect(run.tuner.modules.map(({ scale }) => scale)).toEqual([0.5, 0.5, 0.5]);
    expect(allocation).toMatchObject({ step: 0, budget: 6, final: true, ranks: run.ranks() });
    // The gradients have rank 4 and are projected onto 4 directions, so the projection is exact.
    const logarithms = fixture.strengths.map((module) =>
      module.map((x) => Math.round(100 * Math.log10(x)) / 100),
    );
    expect(allocation.scores).toEqual(logarithms);
    expect(pattern).toEqual({
      r: 2,
      lora_alpha: 8,
      use_rslora: false,
      rank_pattern: { m1: 4 },
      alpha_pattern: { m1: 16 },
      target_modules: ['m0', 'm1'],
      exclude_modules: null,
      layers_to_transform: null,
      layers_pattern: null,
    });
  },
);

it('gives alphas that keep the scale of rsLoRA too', async () => {
  const { pattern } = await settled(ranked({ scale: 'rslora' }));
  expect(pattern).toMatchObject({ use_rslora: true, alpha_pattern: { m1: 8 * Math.SQRT2 } });
});

it('resumes with its ranks', async () => {
  const run = ranked();
  await settled(run);
  const other = ranked();
  other.restore(structuredClone(run.state()));
  expect(other.ranks()).toEqual(run.ranks());
  expect(other.tuner.layout.segments).toEqual(run.tuner.layout.segments);
});

it('rejects a zero gradient', async () => {
  const run = ranked();
  const { length } = run.measurement.tuner.layout;
  const settled = run.measurement.settle(
    0,
    new Float32Array(length),
    async () => new Float32Array(length),
    noInputs,
  );
  await expect(settled).rejects.toThrow('lora.allocation: before-training found a gradient that is zero');
});
