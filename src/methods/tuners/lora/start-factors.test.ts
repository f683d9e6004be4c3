import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadCase } from '../../../../scripts/conformance/load-case.ts';
import { feedsOf, logitsOf, withPrefix } from '../../../../scripts/conformance/read-case.ts';
import { readAdapter } from '../../../../tests/support/adapter-folder.ts';
import { readSafetensors } from '../../../../tests/support/safetensors-file.ts';
import { PEFT_PREFIX } from '../../../input/formats/adapters/stored-adapter.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { Program } from '../../../program/program.ts';
import { Random } from '../../../support/random.ts';
import { dot64 } from '../low-rank/orthonormal.ts';
import { findKind } from '../registry.ts';
import { isInt4, loftqFactors, startFactors } from './start-factors.ts';
import { topSingular, WeightMatrix } from './top-singular.ts';

const FIXTURES = 'src/methods/tuners/fixtures/trajectories';

/** B A, [out, in]. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, rank: number): Float64Array {
  const [width, height] = [a.length / rank, b.length / rank];
  return Float64Array.from({ length: height * width }, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += b[i * rank + k]! * a[k * width + j]!;
    return sum;
  });
}

const largest = (values: Iterable<number>) => [...values].reduce((most, x) => Math.max(most, Math.abs(x)), 0);

it('PiSSA’s start factors are PEFT’s', () => {
  const name = 'gpt2-pissa';
  const path = 'transformer.h.0.mlp.c_fc';
  const sizes = { inFeatures: 16, outFeatures: 64, rank: 3, scale: 2, transposed: true };
  const base = readSafetensors(`${FIXTURES}/${name}/base/model.safetensors`);
  const initial = readSafetensors(`${FIXTURES}/${name}/initial.safetensors`);
  const weight = base.get(`${path}.weight`)!.data as Float32Array;
  const { a, b } = startFactors('pissa', { path, ...sizes }, weight, 0);
  const [theirA, theirB] = ['A', 'B'].map(
    (factor) => initial.get(`${PEFT_PREFIX}${path}.lora_${factor}.weight`)!.data as Float32Array,
  ) as [Float32Array, Float32Array];
  const theirs = product(theirA, theirB, sizes.rank);
  // The signs of singular vectors are arbitrary, but their product is not. PEFT computes in 32 bits.
  const off = product(a, b, sizes.rank).map((value, i) => value - theirs[i]!);
  expect(largest(off)).toBeLessThan(2e-5 * largest(theirs));
});

it('start factors by power iterations have all but a little of the principal part', () => {
  const data = new Random(1, 'matrix').normals(40 * 30, 1);
  const module = { path: 'm', inFeatures: 30, outFeatures: 40, rank: 4, scale: 0.5 };
  const [exact, near] = (['pissa', 'pissa_niter_8'] as const).map((init) => {
    const { a, b } = startFactors(init, module, data, 0);
    return Math.hypot(...product(a, b, 4));
  }) as [number, number];
  expect(near / exact).toBeGreaterThan(0.97);
  expect(near / exact).toBeLessThan(1 + 1e-6);
});

it('finds the largest of a matrix that is larger than the search, and of one of low rank', () => {
  const [rows, columns] = [70, 90];
  const data = new Random(1, 'matrix').normals(rows * columns, 1);
  const matrix = new WeightMatrix({ path: 'm', outFeatures: rows, inFeatures: columns }, data);
  const found = topSingular(matrix, 3);
  const all = topSingular(matrix, rows);
  found.forEach(({ strength, u, v }, i) => {
    expect(strength).toBeCloseTo(all[i]!.strength, 6);
    // Checks Wᵀ u = strength v.
    const back = matrix.turnedTimes(u);
    expect(largest(back.map((x, j) => x - strength * v[j]!))).toBeLessThan(1e-6);
  });
  const single = new WeightMatrix(
    { path: 'm', outFeatures: 2, inFeatures: 3 },
    Float32Array.of(1, 2, 3, 2, 4, 6),
  );
  const [first, second] = topSingular(single, 2);
  expect(first!.strength).toBeCloseTo(Math.sqrt(70), 6);
  expect(second!.strength).toBeLessThan(1e-6);
  expect(dot64(first!.v, second!.v)).toBeCloseTo(0, 9);
});

it('PiSSA’s start factors of PEFT’s unconverted adapter are computed from the weights', async () => {
  const name = 'gpt2-pissa';
  const probe = readSafetensors(`${FIXTURES}/${name}/probe.safetensors`);
  const inputs = withPrefix(probe, 'batch.');
  const model = loadCase(`${FIXTURES}/${name}/base`, 'CAUSAL_LM', inputs);
  const stored = await readAdapter(`${FIXTURES}/${name}/unconverted`);
  const { tuner, values } = findKind(stored, name).import(model, stored, name);
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const answers = await program.predict(values, feedsOf(model, inputs));
  const converted = await readAdapter(`${FIXTURES}/${name}/adapter`);
  const plain = findKind(converted, name).import(model, converted, name);
  const other = new Program(nodeEngine(model, 'cpu'), model, plain.tuner);
  const expected = await other.predict(plain.values, feedsOf(model, inputs));
  // The same matrix product, summed in another order.
  expect(largest(answers.map((x, i) => x - expected[i]!))).toBeLessThan(1e-5 * largest(logitsOf(probe)));
  await program.release();
  await other.release();
  const { readRange: _, ...unloaded } = model;
  expect(() => findKind(stored, name).import(unloaded, stored, name)).toThrow(
    'init_lora_weights needs the weights of the base model',
  );
  model.close();
});

it('start factors are exact for a wide matrix with nearly as many triplets as rows', () => {
  const [rows, columns] = [6, 40];
  const matrix = new WeightMatrix(
    { path: 'm', inFeatures: columns, outFeatures: rows },
    new Random(2, 'wide').normals(rows * columns, 1),
  );
  const squares = topSingular(matrix, rows).reduce((sum, { strength }) => sum + strength ** 2, 0);
  const whole = [...matrix.norms()].reduce((sum, norm) => sum + norm ** 2, 0);
  expect(squares / whole).toBeCloseTo(1, 10);
});

const { rows, columns, rounding, cases } = JSON.parse(
  readFileSync('src/methods/tuners/lora/fixtures/loftq.json', 'utf8'),
) as {
  rows: number;
  columns: number;
  /** ‖W - Q‖ */
  rounding: number;
  /** `residual` is ‖W - Q - s B A‖, `firstRow` the first row of s B A. */
  cases: { rank: number; residual: number; firstRow: number[] }[];
};

/** The weight in scripts/oracle/loftq.py. */
const weight = Float32Array.from({ length: rows * columns }, (_, i) => {
  const draw = (i * 1103515245 + 7) % 2147483647;
  return (draw / 2 ** 30 - 1) * 0.1;
});

it.each(cases)(
  'LoftQ factors of rank $rank take back the rounding as numpy does',
  ({ rank, residual, firstRow }) => {
    const scale = 0.5;
    const module = { path: 'm', inFeatures: columns, outFeatures: rows, rank, scale };
    const { a, b } = loftqFactors(module, weight);
    const increment = (i: number, j: number) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b[i * rank + k]! * a[k * columns + j]!;
      return scale * sum;
    };
    // A, B and W - Q are float32.
    firstRow.forEach((value, j) => expect(Math.abs(increment(0, j) - value)).toBeLessThan(3e-7));
    // The squared lengths of an optimal approximation and of the remaining error add up to that of the whole.
    let square = 0;
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) square += increment(i, j) ** 2;
    expect(Math.sqrt(rounding ** 2 - square)).toBeCloseTo(residual, 5);
    expect(residual).toBeLessThan(rounding);
  },
);

it('LoftQ factors of a model are those of its golden trajectory', () => {
  const folder = 'src/methods/tuners/fixtures/trajectories/bert-loftq';
  const base = readSafetensors(`${folder}/base/model.safetensors`);
  const initial = readSafetensors(`${folder}/initial.safetensors`);
  const read = (tensors: typeof base, name: string) => tensors.get(name)!.data as Float32Array;
  for (const path of [
    'attention.self.query',
    'attention.self.value',
    'attention.output.dense',
    'output.dense',
  ]) {
    const [name, rank] = [`bert.encoder.layer.0.${path}`, 3];
    const module = { path: name, inFeatures: 64, outFeatures: 64, rank, scale: 2 };
    const { a, b } = loftqFactors(module, read(base, `${name}.weight`));
    const [theirA, theirB] = ['A', 'B'].map((factor) =>
      read(initial, `base_model.model.${name}.lora_${factor}.weight`),
    ) as [Float32Array, Float32Array];
    // The signs of singular vectors are arbitrary, but their products are not.
    for (let i = 0; i < 64; i++)
      for (let j = 0; j < 64; j++) {
        let off = 0;
        for (let k = 0; k < rank; k++)
          off += b[i * rank + k]! * a[k * 64 + j]! - theirB[i * rank + k]! * theirA[k * 64 + j]!;
        // A and B are float32, and the largest product is about 0.01.
        expect(Math.abs(off)).toBeLessThan(2e-8);
      }
  }
});

it('LoftQ factors exist for weights that an int4 base rounds', () => {
  const sizes = { path: 'm', outFeatures: 4 };
  expect(isInt4({ ...sizes, inFeatures: 128 })).toBe(true);
  expect(isInt4({ ...sizes, inFeatures: 96 })).toBe(false);
  expect(isInt4({ ...sizes, inFeatures: 128, transposed: true })).toBe(false);
});
