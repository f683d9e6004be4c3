import type { Dimension } from '../graph/dimension.ts';
import type { Emitter } from './emitter.ts';

/**
 * A tensor under a new name, in the same memory, that is not available before the gate has been computed. It is a
 * Reshape that changes nothing: a 0 in its shape keeps the size of that axis. The zeros are a size of the gate times
 * 0. That size must be one that the engine learns at run time. The engine does not wait for a gate of fixed sizes, so
 * then the tensor keeps its name.
 */
export function waiting(
  e: Emitter,
  { name, rank }: { name: string; rank: number },
  gate: { name: string; shape: readonly Dimension[] },
): string {
  const axis = gate.shape.findIndex((size) => typeof size !== 'number');
  if (axis < 0) return name;
  const [zeros] = e.once(`${rank} zeros after ${gate.name}`, () => {
    const size = e.emit('Shape', [gate.name], { start: axis, end: axis + 1 });
    return [e.emit('Mul', [size, e.int64(Array<number>(rank).fill(0))])];
  });
  return e.emit('Reshape', [name, zeros]);
}
