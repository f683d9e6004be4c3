import {
  add,
  cast,
  constant,
  cos,
  exp,
  greater,
  log,
  max,
  multiply,
  negate,
  reshape,
  sin,
  subtract,
  where,
} from '../../engine/graph/build.ts';
import { dimensionSize } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

/**
 * Parameters of rotary position embeddings (Su et al., 2021). Feature i of a head is rotated with feature i + headSize
 * / 2.
 */
export interface Rotary {
  /** Radians per position, for each pair of features. */
  frequencies: readonly number[];
  /** Factor of the rotated features. */
  scale: number;
  /** The factor by which the context is stretched if a position exceeds `length`. */
  stretch?: { factor: number; length: number };
  /** The frequencies of all tokens if a position exceeds `length`. */
  beyond?: { frequencies: readonly number[]; length: number };
}

/** Cosines and sines of every token's angles, each [tokens, frequencies], from its position: int32 [sequence, batch]. */
export function rotation(positionIds: Value, rotary: Rotary): readonly [cosines: Value, sines: Value] {
  const positions = reshape(cast(positionIds, 'float32'), [dimensionSize(positionIds.shape), 1]);
  const angles = multiply(positions, frequencies(positions, rotary));
  return [multiply(cos(angles), rotary.scale), multiply(sin(angles), rotary.scale)];
}

/**
 * Returns the frequencies for the positions of a batch. If a position exceeds `beyond.length`, `beyond.frequencies` are
 * used (LongRoPE). If a position exceeds `stretch.length`, frequencies are lowered (NTK-aware scaling): the base grows
 * so that the slowest pair of features spans the longer context. The fastest pair does not change.
 */
function frequencies(positions: Value, { frequencies, stretch, beyond }: Rotary): Value {
  const { graph } = positions.node;
  const unscaled = constant(graph, frequencies, [1, frequencies.length]);
  if (!stretch && !beyond) return unscaled;
  const reached = reshape(add(max(positions, [0, 1]), 1), [1, 1]);
  if (beyond) {
    const others = constant(graph, beyond.frequencies, [1, beyond.frequencies.length]);
    return where(greater(reached, beyond.length), others, unscaled);
  }
  const { factor, length } = stretch as NonNullable<typeof stretch>;
  const ratio = subtract(multiply(reached, factor / length), factor - 1);
  const grown = log(where(greater(reached, length), ratio, 1));
  // The base to the power i / half becomes (base · ratio^(half / (half - 1)))^(i / half).
  const shares = frequencies.map((_, i) => i / Math.max(frequencies.length - 1, 1));
  return multiply(unscaled, exp(negate(multiply(grown, constant(graph, shares, [1, shares.length])))));
}
