import { reshape, transpose } from '../../../engine/graph/build.ts';
import {
  type Dimension,
  divideDimension,
  multiplyDimensions,
  symbol,
} from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ReadParameter, TunableModel } from '../tuner.ts';

/** The number of examples. */
export const BATCH = symbol('batch');

/**
 * The number of tokens of each example, from sequence-major rows [tokens · batch, width]. Undefined if all examples
 * share the rows.
 */
export function tokensOf(x: Value): Dimension | undefined {
  return divideDimension(x.shape[0]!, 'batch');
}

/**
 * Reshapes sequence-major rows [tokens · batch, width] to [batch, tokens, width]. Rows that all examples share become
 * [1, tokens, width].
 */
export function separateExamples(x: Value): Value {
  const tokens = tokensOf(x);
  if (tokens === undefined) return reshape(x, [1, x.shape[0]!, x.shape[1]!]);
  return tokens === 1
    ? reshape(x, [BATCH, 1, x.shape[1]!])
    : transpose(reshape(x, [tokens, BATCH, x.shape[1]!]), [1, 0, 2]);
}

/** Reshapes [batch, tokens, width] to sequence-major rows. */
export function asRows(y: Value): Value {
  const [batch, tokens, width] = y.shape as [Dimension, Dimension, Dimension];
  const turned = tokens === 1 ? y : transpose(y, [1, 0, 2]);
  return reshape(turned, [multiplyDimensions(tokens, batch), width]);
}

/** Reshapes sequence-major rows to [tokens, batch, width], or [tokens, 1, width] if all examples share them. */
export function byToken(y: Value): Value {
  const [rows, width] = y.shape as [Dimension, Dimension];
  const tokens = tokensOf(y);
  return reshape(y, tokens === undefined ? [rows, 1, width] : [tokens, BATCH, width]);
}

/** Reshapes [tokens, batch, width] to sequence-major rows. */
export function tokenRows(y: Value): Value {
  const [tokens, batch, width] = y.shape as [Dimension, Dimension, Dimension];
  return reshape(y, [multiplyDimensions(tokens, batch), width]);
}

/** A model, and the weights of its base. */
export interface Base extends Pick<TunableModel, 'linears' | 'parameters'> {
  reader(seed: number): ReadParameter;
}

/** Reads parameters of the base by name; undefined for a name that it does not have. */
export function baseParameters(model: Base): (name: string) => Float32Array | undefined {
  return (name) => {
    const shape = model.parameters.get(name);
    return shape && model.reader(0)(name, shape);
  };
}
