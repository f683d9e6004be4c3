import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readSafetensors } from '../../../input/formats/node/safetensors-file.ts';
import { isInt4, loftqFactors } from './start-factors.ts';

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

it.each(cases)('of rank $rank take back the rounding as numpy does', ({ rank, residual, firstRow }) => {
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
});

it('of a model are those of its golden trajectory', () => {
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

it('exist for weights that an int4 base rounds', () => {
  const sizes = { path: 'm', outFeatures: 4 };
  expect(isInt4({ ...sizes, inFeatures: 128 })).toBe(true);
  expect(isInt4({ ...sizes, inFeatures: 96 })).toBe(false);
  expect(isInt4({ ...sizes, inFeatures: 128, transposed: true })).toBe(false);
});
