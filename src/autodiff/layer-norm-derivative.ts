import { add, multiply, subtract, sum } from '../graph/build.ts';
import type { GraphNode, Value } from '../graph/graph.ts';
import type { Contribution } from './derivatives.ts';

/**
 * The derivative of a layer norm. With n = (x - mean) / deviation and h = dy · gain:
 * dx = (h - mean(h) - n · mean(h · n)) / deviation, dgain = Σ dy · n, dshift = Σ dy.
 */
export function layerNormDerivative(
  node: GraphNode<'layerNorm'>,
  [g, gMean, gInverse]: readonly (Value | undefined)[],
): Contribution[] {
  if (!g || gMean || gInverse) throw new Error('layerNorm: only the normalised output is differentiable');
  const [x, gain] = node.inputs;
  const [, mean, inverse] = node.outputs;
  const last = x.shape.length - 1;
  const width = x.shape[last] as number;
  const normalised = () => multiply(subtract(x, mean!), inverse!);
  const average = (value: Value) => multiply(sum(value, [last], true), 1 / width);
  return [
    () => {
      const n = normalised();
      const h = multiply(g, gain);
      const projected = add(average(h), multiply(n, average(multiply(h, n))));
      return multiply(subtract(h, projected), inverse!);
    },
    () => multiply(g, normalised()),
    () => g,
  ];
}
