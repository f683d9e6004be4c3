import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  hessianMetrics,
  progressiveRanks,
  proportionalRanks,
  sensitivities,
  sensitivityLora,
  sensitivityLoraConfigSchema,
} from '../../examples/methods/sensitivity-lora.mjs';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { measuredModel, measureInputsIn } from '../support/measure-inputs-in.ts';

/** Computed from every element of the Hessians' diagonals (scripts/oracle/sensitivity_lora.py). */
const golden = JSON.parse(readFileSync('src/methods/tuners/fixtures/sensitivity-lora.json', 'utf8')) as {
  model: string;
  settings: object;
  modules: { outFeatures: number; diagonal: number[] }[];
  trace: number[];
  top: number[];
  effectiveRank: number[];
  sensitivity: number[];
  ranks: Record<string, number>;
}[];

describe.each(golden)('on $model with $settings', ({ model: name, settings, ...theirs }) => {
  const config = sensitivityLoraConfigSchema.parse(settings);
  const start = (model: LoadedModel) => sensitivityLora.start(model, config, 10);
  const modules = theirs.modules.map(({ outFeatures, diagonal }) => ({
    outFeatures,
    diagonal: Float64Array.from(diagonal),
  }));

  it('has the metrics and sensitivities of the formulas', () => {
    modules.forEach((module, k) => {
      const { trace, top, effectiveRank } = hessianMetrics(module, config);
      // The stored numbers have 12 digits.
      expect(trace / theirs.trace[k]!).toBeCloseTo(1, 10);
      expect(top / theirs.top[k]!).toBeCloseTo(1, 10);
      expect(effectiveRank).toBe(theirs.effectiveRank[k]);
    });
    sensitivities(modules, config).forEach((own: number, k: number) => {
      expect(own / theirs.sensitivity[k]!).toBeCloseTo(1, 10);
    });
  });

  it('measures what gives their ranks, and resumes with them', async () => {
    const { run, found } = await measureInputsIn(name, start);
    expect(run.ranks()).toEqual(theirs.ranks);
    // The log has decimal logarithms with two digits. The model computes in 32 bits.
    found.allocation.scores!.forEach(([own], k) => {
      expect(own).toBeCloseTo(Math.log10(theirs.sensitivity[k]!), 1.9);
    });
    const { model } = measuredModel(name);
    const other = start(model);
    model.close();
    other.restore(structuredClone(run.state()));
    expect(other.tuner.layout.segments).toEqual(run.tuner.layout.segments);
  });
});

it('gives even ranks to modules that are equally sensitive', () => {
  const modules = [8, 8, 8].map((outFeatures) => ({ outFeatures, diagonal: new Float64Array(4).fill(0.5) }));
  const sensitivity = sensitivities(modules, sensitivityLoraConfigSchema.parse({}));
  expect(proportionalRanks([{ inFeatures: 4, outFeatures: 8 }], [0], 3)).toEqual([3]);
  const sizes = modules.map(({ outFeatures }) => ({ inFeatures: 4, outFeatures }));
  expect(proportionalRanks(sizes, sensitivity, 6)).toEqual([2, 2, 2]);
});

it('stops at the features of every module', () => {
  const sizes = [
    { inFeatures: 2, outFeatures: 8 },
    { inFeatures: 3, outFeatures: 3 },
  ];
  expect(proportionalRanks(sizes, [9, 1], 4)).toEqual([2, 2]);
  expect(proportionalRanks(sizes, [9, 1], 100)).toEqual([2, 3]);
});

it('puts modules into categories of equal size, the outer ones alike', () => {
  const sizes = (count: number) => Array.from({ length: count }, () => ({ inFeatures: 9, outFeatures: 9 }));
  // The example of section 4.4, in another order.
  expect(progressiveRanks(sizes(6), [1, 6, 3, 4, 5, 2], { r: 5, categories: 3 })).toEqual([4, 6, 5, 5, 6, 4]);
  expect(progressiveRanks(sizes(7), [7, 6, 5, 4, 3, 2, 1], { r: 2, categories: 3 })).toEqual([
    3, 3, 2, 2, 2, 1, 1,
  ]);
  expect(progressiveRanks(sizes(2), [2, 1], { r: 2, categories: 3 })).toEqual([3, 1]);
  expect(
    progressiveRanks([...sizes(2), { inFeatures: 2, outFeatures: 9 }], [1, 2, 3], { r: 3, categories: 3 }),
  ).toEqual([2, 3, 2]);
});

it.each([
  [{ categories: 2 }, 'must be odd, so that the mean rank is r'],
  [{ r: 1, categories: 5 }, 'must be at most 2 r + 1, so that no rank is below 0'],
])('refuses %o', (settings, message) => {
  expect(sensitivityLoraConfigSchema.safeParse(settings).error?.issues).toMatchObject([
    { path: ['categories'], message },
  ]);
});

it('says so when inputs are not finite', async () => {
  async function* inputs(paths: readonly string[]) {
    yield [{ paths, width: 2, rows: Float32Array.of(1, Number.NaN) }];
  }
  const { model } = measuredModel('bert');
  const config = sensitivityLoraConfigSchema.parse({ target_modules: ['query'], calibration_batches: 1 });
  const { measurement } = sensitivityLora.start(model, config, 10);
  model.close();
  const gradientAt = () => Promise.reject(new Error('not asked'));
  await expect(measurement!.settle(0, new Float32Array(0), gradientAt, inputs)).rejects.toThrow(
    'sensitivity_lora found inputs of modules that are not finite',
  );
});
