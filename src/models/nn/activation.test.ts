import { describe, expect, it } from 'vitest';
import { cpu, wasm } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input, sum } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { activation } from './activation.ts';

const X = [-12, -6, -2, -0.5, 0, 0.3, 2.5, 7, 11];

// biome-ignore format: a row of values, a row of derivatives.
/** Activations of the points X in float64, from transformers 5.24.0 (`ACT2FN`) on torch 2.15.0. */
const EXPECTED: Record<string, [number[], number[]]> = {
  gelu: [
    [0, -5.9195259e-9, -0.045500264, -0.15426877, 0, 0.18537343, 2.4844758, 7, 11],
    [0, -3.5468709e-8, -0.085231801, 0.13250488, 0.5, 0.73232777, 1.0376111, 1, 1],
  ],
  gelu_10: [
    [0, -5.9195259e-9, -0.045500264, -0.15426877, 0, 0.18537343, 2.4844758, 7, 10],
    [0, -3.5468709e-8, -0.085231801, 0.13250488, 0.5, 0.73232777, 1.0376111, 1, 0],
  ],
  gelu_fast: [
    [0, -8.439649e-11, -0.045402306, -0.15428599, 0, 0.18537092, 2.4849157, 7, 11],
    [0, -7.709976e-10, -0.086099257, 0.1326301, 0.5, 0.73229545, 1.0379516, 1, 1],
  ],
  gelu_new: [
    [0, -8.439649e-11, -0.045402306, -0.15428599, 0, 0.18537092, 2.4849157, 7, 11],
    [0, -7.709976e-10, -0.086099257, 0.1326301, 0.5, 0.73229545, 1.0379516, 1, 1],
  ],
  hardswish: [
    [0, 0, -0.33333333, -0.20833333, 0, 0.165, 2.2916667, 7, 11],
    [0, 0, -0.16666667, 0.33333333, 0.5, 0.6, 1.3333333, 1, 1],
  ],
  laplace: [
    [0, 0, 0, 9.3833812e-6, 0.0060944596, 0.074488311, 1, 1, 1],
    [0, 0, 0, 0.00014942905, 0.061113829, 0.4991861, 2.3935732e-9, 0, 0],
  ],
  leaky_relu: [
    [-0.12, -0.06, -0.02, -0.005, 0, 0.3, 2.5, 7, 11],
    [0.01, 0.01, 0.01, 0.01, 0.01, 1, 1, 1, 1],
  ],
  linear: [
    [-12, -6, -2, -0.5, 0, 0.3, 2.5, 7, 11],
    [1, 1, 1, 1, 1, 1, 1, 1, 1],
  ],
  mish: [
    [-7.3730322e-5, -0.01485408, -0.25250148, -0.22074377, 0, 0.20800137, 2.4713923, 6.9999884, 11],
    [-6.7585902e-5, -0.012359968, -0.10835509, 0.28951068, 0.6, 0.7828273, 1.0411295, 1.0000216, 1],
  ],
  quick_gelu: [
    [-1.6186418e-8, -0.00022035355, -0.064341377, -0.14961156, 0, 0.18748414, 2.4650138, 6.9999531, 11],
    [-2.6200415e-8, -0.00033830238, -0.073815354, 0.12077809, 0.5, 0.74462574, 1.0447187, 1.0000731, 1.0000001],
  ],
  relu: [
    [0, 0, 0, 0, 0, 0.3, 2.5, 7, 11],
    [0, 0, 0, 0, 0, 1, 1, 1, 1],
  ],
  relu2: [
    [0, 0, 0, 0, 0, 0.09, 6.25, 49, 121],
    [0, 0, 0, 0, 0, 0.6, 5, 14, 22],
  ],
  relu6: [
    [0, 0, 0, 0, 0, 0.3, 2.5, 6, 6],
    [0, 0, 0, 0, 0, 1, 1, 0, 0],
  ],
  sigmoid: [
    [6.1441746e-6, 0.0024726232, 0.11920292, 0.37754067, 0.5, 0.57444252, 0.92414182, 0.99908895, 0.9999833],
    [6.1441369e-6, 0.0024665093, 0.10499359, 0.23500371, 0.25, 0.24445831, 0.070103717, 0.00091022118, 1.6701143e-5],
  ],
  silu: [
    [-7.3730095e-5, -0.014835739, -0.23840584, -0.18877033, 0, 0.17233276, 2.3103545, 6.9936226, 10.999816],
    [-6.7585468e-5, -0.012326433, -0.090784249, 0.26003881, 0.5, 0.64778001, 1.0994011, 1.0054605, 1.000167],
  ],
  sqrtsoftplus: [
    [0.0024787484, 0.049756257, 0.35626958, 0.68853249, 0.83255461, 0.92431339, 1.6058922, 2.6459236, 3.3166273],
    [0.0012393704, 0.024847359, 0.16729315, 0.27416329, 0.3002806, 0.31074012, 0.2877347, 0.18879777, 0.15075304],
  ],
  tanh: [
    [-1, -0.99998771, -0.96402758, -0.46211716, 0, 0.29131261, 0.9866143, 0.99999834, 1],
    [1.5100543e-10, 2.4576547e-5, 0.070650825, 0.78644773, 1, 0.91513696, 0.026592227, 3.3261093e-6, 1.1157872e-9],
  ],
};

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
