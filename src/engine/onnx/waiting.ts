import type { Dimension } from '../graph/dimension.ts';
import type { Emitter } from './emitter.ts';

/**
 * Makes a tensor wait for another one (the gate). Returns the tensor under a new name, in the same memory: the result
 * of a Reshape that changes nothing, because a 0 in its shape keeps the size of that axis. The zeros are computed as a
 * size of the gate times 0. The engine must not know that size before run time, or it would not wait. If all sizes of
 * the gate are fixed, the tensor keeps its name.
 */
export function waiting(
  e: Emitter,
  { name, type, shape }: { name: string; type: number; shape: readonly Dimension[] },
  gate: { name: string; shape: readonly Dimension[] },
): string {
  const axis = gate.shape.findIndex((size) => typeof size !== 'number');
  if (axis < 0) return name;
  const [zeros] = e.once(`${shape.length} zeros after ${gate.name}`, () => {
    const size = e.emit('Shape', [gate.name], { start: axis, end: axis + 1 });
    return [e.emit('Mul', [size, e.int64(Array<number>(shape.length).fill(0))])];
  });
  return e.declare(e.emit('Reshape', [name, zeros]), type, shape);
}
