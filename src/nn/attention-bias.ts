import { cast, greater, reshape, where } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';

/** Large enough to vanish after the exponential, small enough to stay finite when scores are added. */
const BLOCKED = -1e30;

/** Turns a mask [batch, sequence] of 1 (real) and 0 (padding) into what is added to scores: [batch, 1, 1, sequence]. */
export function attentionBias(mask: Value): Value {
  const [batch, sequence] = mask.shape;
  const real = greater(cast(mask, 'float32'), 0);
  return reshape(where(real, 0, BLOCKED), [batch, 1, 1, sequence]);
}
