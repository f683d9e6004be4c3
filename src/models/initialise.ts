import { elementCount } from '../support/element-count.ts';
import { Random } from '../support/random.ts';

/** Initializes a new parameter as in transformers: norms with 1, biases with 0, other weights with normal values. */
export function initialise(
  name: string,
  shape: readonly number[],
  seed: number,
  standardDeviation: number,
): Float32Array {
  const length = elementCount(shape);
  if (name.endsWith('.bias')) return new Float32Array(length);
  if (shape.length === 1) return new Float32Array(length).fill(1);
  return new Random(seed, `init ${name}`).normals(length, standardDeviation);
}
