import { multiply, normalCdf } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import type { Op } from '../graph/ops.ts';

/** Sources of dropout masks: inputs that the host fills, or windows of a pool. */
const MASKS: ReadonlySet<Op> = new Set(['input', 'window']);
/** Ops that normalize their first operand. */
const NORMS: ReadonlySet<Op> = new Set(['layerNorm', 'rmsNorm']);
/** Ops that keep their output, because their derivative reads it; a sigmoid keeps its input instead. */
const KEEPS_OUTPUT: ReadonlySet<Op> = new Set(['softmax', 'exp', 'sqrt', 'tanh', 'sigmoid']);

/**
 * Returns the value that the backward pass reads instead of a forward value. A forward value is computed
 * again, so that its first copy can be freed, if this takes one cheap pass over values that are kept anyway.
 * Otherwise, the forward value itself is returned. These values are computed again:
 *
 * - the output of GELU, as x Φ(x): its derivative needs x and Φ(x) in any case;
 * - the output of a sigmoid: its derivative computes it again too;
 * - the output of a norm, if its input is kept for the norm's derivative;
 * - a dropout mask that is cut from a pool;
 * - a product of two values that are kept or computed again.
 *
 * @param active the values that are differentiated
 */
export function recomputed(value: Value, active: ReadonlySet<Value>): Value {
  const { graph, op, inputs } = value.node;
  if (op === 'gelu') return multiply(inputs[0], normalCdf(inputs[0]));
  const isNorm = NORMS.has(op) && value.index === 0 && active.has(inputs[0]);
  if (isNorm || op === 'window' || (op === 'sigmoid' && active.has(value))) return graph.again(value.node)[0];
  if (op !== 'multiply') return value;
  const [a, b] = inputs;
  const bothKept = active.has(a) && active.has(b);
  const isKept = (factor: Value) =>
    bothKept || MASKS.has(factor.node.op) || (active.has(factor) && KEEPS_OUTPUT.has(factor.node.op));
  if (a === b || !isKept(a) || !isKept(b)) return value;
  return graph.again(value.node, [recomputed(a, active), recomputed(b, active)])[0];
}
