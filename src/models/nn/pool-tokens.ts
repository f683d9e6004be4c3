import {
  cast,
  constant,
  divide,
  greater,
  max,
  multiply,
  reshape,
  sqrt,
  sum,
  transpose,
  where,
} from '../../engine/graph/build.ts';
import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

/** The smallest divisor in PyTorch's `F.normalize`. */
const MIN_LENGTH = 1e-12;

/**
 * The mean of the hidden states of each text's tokens, [batch, width], without padding.
 *
 * @param hidden sequence-major rows [sequence · batch, width]
 */
export function meanTokens(
  hidden: Value,
  { attentionMask, sequence, batch }: { attentionMask: Value; sequence: Dimension; batch: Dimension },
): Value {
  const { graph } = hidden.node;
  const isReal = greater(transpose(attentionMask, [1, 0]), constant(graph, [0], [], 'int32'));
  const mask = reshape(cast(isReal, 'float32'), [sequence, batch, 1]);
  const states = reshape(hidden, [sequence, batch, hidden.shape[1]!]);
  const count = sum(mask, [0]);
  // A text without tokens has the mean 0.
  return divide(sum(multiply(states, mask), [0]), where(greater(count, 0), count, 1));
}

/**
 * The states of one token of each text, [batch, width], with zeros for a text without tokens. Such a text has only
 * padding, and sentence-transformers gives it zeros with every pooling.
 */
export function ofTexts(
  states: Value,
  { attentionMask, batch }: { attentionMask: Value; batch: Dimension },
): Value {
  const last = reshape(max(cast(attentionMask, 'float32'), [1]), [batch, 1]);
  return where(greater(last, 0), states, 0);
}

/** Scales rows to length 1, as PyTorch's `F.normalize`; x [rows, width]. */
export function toUnitLength(x: Value): Value {
  const length = sqrt(sum(multiply(x, x), [1], true));
  return divide(x, where(greater(length, MIN_LENGTH), length, MIN_LENGTH));
}
