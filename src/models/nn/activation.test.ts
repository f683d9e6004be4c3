import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpu, wasm } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input, sum } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { activation } from './activation.ts';

const X = [-12, -6, -2, -0.5, 0, 0.3, 2.5, 7, 11];

/**
 * A row of values and a row of derivatives: activations of the points X in float64, from transformers 5.24.0 (`ACT2FN`)
 * on torch 2.15.0.
 */
const EXPECTED: Record<string, [number[], number[]]> = JSON.parse(
  readFileSync('src/models/nn/fixtures/activation.json', 'utf8'),
);

/** Other names that transformers has for the same function. */
const SAME = {
  gelu: ['gelu_python'],
  gelu_new: ['gelu_accurate', 'gelu_pytorch_tanh', 'gelu_python_tanh'],
  silu: ['swish'],
};

/** The engine's sigmoid and exponential are accurate to 1e-7. The largest input, 12, multiplies that error. */
const TOLERANCE = 2e-6;

describe.each([cpu, wasm])('activations on $name', ({ open, target }) => {
  it.each(Object.entries(EXPECTED))('%s', async (name, [values, slopes]) => {
    const x = input(new Graph(), 'x', 'float32', [X.length]);
    const y = activation(name)(x);
    const [slope] = gradients(sum(y, [0]), [x]);
    const session = await open(lower({ y, slope: slope! }, { target }));
    const actual = await session.run({ x: { data: Float32Array.from(X), dims: [X.length] } });
    await session.release();
    const errors = (data: ArrayLike<number>, expected: number[]) =>
      expected.map((value, i) => Math.abs(data[i]! - value) / Math.max(1, Math.abs(value)));
    expect(Math.max(...errors(actual.y!.data, values))).toBeLessThan(TOLERANCE);
    expect(Math.max(...errors(actual.slope!.data, slopes))).toBeLessThan(TOLERANCE);
  });
});

it.each(Object.entries(SAME))('%s has other names', (name, others) => {
  for (const other of others) expect(activation(other)).toBe(activation(name));
});

it('suggests the nearest activation for an unknown name', () => {
  expect(() => activation('gelu_12')).toThrow(/is "gelu_12".*Did you mean gelu/);
});
