import { multiply, normalCdf } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Op } from '../graph/ops.ts';

/** Masks of dropout: fed, or cut from a pool anew. */
const MASKS: ReadonlySet<Op> = new Set(['input', 'window']);
/** Ops whose backward rule reads their output: it is kept anyway. */
const KEEPS_OUTPUT: ReadonlySet<Op> = new Set(['softmax', 'exp', 'sqrt', 'tanh', 'sigmoid']);

/**
 * A value for the backward pass: computed anew, where one cheap pass over what is kept anyway gives it, so that the
 * forward pass's copy can be freed; else the value itself. So the output of GELU (its derivative needs x and Φ(x) as well),
 * that of a layer norm whose input is kept for its derivative, and every dropout mask that is a window into a pool live only
 * while they are used.
 *
 * @param active the values that are differentiated
 */
export function recomputed(value: Value, active: ReadonlySet<Value>): Value {
  const { graph, op, inputs } = value.node;
  if (op === 'gelu') return multiply(inputs[0], normalCdf(inputs[0]));
  const isNorm = op === 'layerNorm' && value.index === 0 && active.has(inputs[0]);
  if (isNorm || op === 'window') return graph.again(value.node)[0];
  if (op !== 'multiply') return value;
  const [a, b] = inputs;
  const bothKept = active.has(a) && active.has(b);
  const isKept = (factor: Value) =>
    bothKept || MASKS.has(factor.node.op) || (active.has(factor) && KEEPS_OUTPUT.has(factor.node.op));
  if (a === b || !isKept(a) || !isKept(b)) return value;
  return graph.again(value.node, [recomputed(a, active), recomputed(b, active)])[0];
}
