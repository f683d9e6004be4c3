import type { Dimension } from '../graph/dimension.ts';
import type { Emitter } from './emitter.ts';

/**
 * A tensor under a new name, the same memory, but not before the gate is there. In a Reshape, 0 stands for the size that
 * is there already; these zeros are a size of the gate, of those that the engine learns at run time, times 0. A gate of
 * fixed sizes keeps nothing waiting.
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
