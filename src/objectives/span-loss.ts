import { add, constant, greater, input, multiply, reshape, slice, where } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { crossEntropy } from '../nn/losses.ts';

/**
 * The mean loss of a batch as in transformers' question answering heads: the average of two cross-entropies, for the
 * starts and the ends of answers. Both are over all positions, padding included. A position beyond the sequence is
 * ignored. A negative position (also -100) counts as 0. Declares the inputs `start_positions` and `end_positions`,
 * int32 [batch].
 *
 * @param logits [2, batch, sequence], starts before ends
 */
export function spanLoss(logits: Value): Value {
  const [, batch, sequence] = logits.shape;
  const { graph } = logits.node;
  const zero = constant(graph, [0], [], 'int32');
  const [start, end] = ['start_positions', 'end_positions'].map((name, i) => {
    const positions = input(graph, name, 'int32', [batch!]);
    const clamped = where(greater(positions, zero), positions, zero);
    return crossEntropy(reshape(slice(logits, 0, i, i + 1), [batch!, sequence!]), clamped);
  }) as [Value, Value];
  return multiply(add(start, end), 0.5);
}
