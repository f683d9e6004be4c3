import { elementCount } from '../../support/element-count.ts';
import type { TensorData } from '../tensor-data.ts';

/**
 * Copies the elements of a strided view in row-major order. The view starts at data[0] and must lie within
 * `data`.
 */
export function gatherStrided<T extends TensorData>(
  data: T,
  shape: readonly number[],
  strides: readonly number[],
): T {
  const count = elementCount(shape);
  const gathered = new (data.constructor as new (length: number) => T)(count);
  const index = new Array<number>(shape.length).fill(0);
  let place = 0;
  for (let i = 0; i < count; i++) {
    gathered[i] = data[place]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      place -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return gathered;
}
