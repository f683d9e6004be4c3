import { expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import {
  addExpressions,
  divideExpressions,
  multiplyExpressions,
  root,
  subtractExpressions,
  takeAbsolute,
  VectorLoop,
} from './vector-loop.ts';

const loop = new VectorLoop(['x', 'y', 'z'], ['a', 'b'], ({ x, y, a, b }) => {
  const sum = addExpressions(multiplyExpressions(a, x), y);
  return {
    x: divideExpressions(subtractExpressions(sum, b), root(takeAbsolute(y))),
    y: multiplyExpressions(sum, x),
  };
});

/** Draws magnitudes from float32's underflow to its overflow, zeros, and values that are not finite. */
function randomVector(length: number, stream: string): Float32Array {
  const random = new Random(7, stream, length);
  const special = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 3.4e38];
  return Float32Array.from({ length }, (_, i) =>
    i % 50 === 49
      ? special[((i - 49) / 50) % special.length]!
      : (random.uniform() - 0.5) * 10 ** (80 * random.uniform() - 40),
  );
}

const round = Math.fround;

it.each([0, 1, 2, 3, 511, 4095, 4096, 4097, 9001])(
  'computes the same for %i elements as a 32-bit loop',
  (length) => {
    const [x, y, z] = ['x', 'y', 'z'].map((stream) => randomVector(length, stream)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const [a, b] = [1 / 3, Math.PI];
    const expected = { x: x.slice(), y: y.slice(), z: z.slice() };
    for (let i = 0; i < length; i++) {
      const sum = round(round(round(a) * x[i]!) + y[i]!);
      expected.x[i] = round(sum - round(b)) / round(Math.sqrt(Math.abs(y[i]!)));
      expected.y[i] = sum * x[i]!;
    }
    loop.run({ x, y, z }, { a, b });
    expect({ x, y, z }).toEqual(expected);
  },
);

it('works on parts of larger vectors without changing their neighbors', () => {
  const vectors = ['x', 'y', 'z'].map((stream) => randomVector(40, stream));
  const [x, y, z] = vectors.map((vector) => vector.subarray(3, 10)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const before = vectors.map((vector) => vector.slice());
  loop.run({ x, y, z }, { a: 1, b: 2 });
  vectors.forEach((vector, k) => {
    expect(vector.subarray(0, 3)).toEqual(before[k]!.subarray(0, 3));
    expect(vector.subarray(10)).toEqual(before[k]!.subarray(10));
  });
});
