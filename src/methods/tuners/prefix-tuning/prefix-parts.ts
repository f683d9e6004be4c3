import { slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { VirtualTokens } from '../../../models/nn/virtual-tokens.ts';
import { Random } from '../../../support/random.ts';
import type { TokensBefore } from '../tuner.ts';
import { TABLE, type VirtualParts } from '../virtual/virtual-tuner.ts';
import {
  beginProjection,
  graphLayers,
  type PrefixShape,
  type ProjectionSizes,
  projected,
  projectionTensors,
} from './projection.ts';

/** The tokens of a prefix. They have no place in the sequence of labels. */
export function prefixTokens(count: number): TokensBefore {
  return { count, predictsFirst: false };
}

/**
 * Prefix tuning (Li and Liang, 2021, arXiv 2101.00190): trained keys and values of every layer before those of a
 * text. They have no position.
 */
export function prefixParts(shape: PrefixShape, count: number, zero: boolean): VirtualParts {
  const outputs = shape.names.length * shape.width;
  return {
    ...common(shape, count, count * outputs),
    own: [{ name: TABLE, shape: [count, outputs] }],
    tokens: (value) => tokens(shape, count, value(TABLE)),
    begin(values, seed) {
      if (!zero) values(TABLE).set(new Random(seed, `init ${TABLE}`).normals(count * outputs, 1));
    },
  };
}

/** The same, but a small network makes the keys and values. */
export function projectedParts(shape: PrefixShape, sizes: ProjectionSizes, zero: boolean): VirtualParts {
  const own = projectionTensors(sizes);
  const trained = own.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  return {
    ...common(shape, sizes.count, trained),
    own,
    tokens: (value) => tokens(shape, sizes.count, projected(graphLayers(value))),
    begin: (values, seed) => beginProjection(own, values, seed, sizes, zero),
  };
}

function common({ names }: PrefixShape, count: number, parameters: number) {
  const paths = new Set(names.map((name) => name.replace(/\.[^.]*$/, '')));
  return {
    before: prefixTokens(count),
    sites: [...paths].map((path) => ({ path, parameters: parameters / paths.size })),
  };
}

/**
 * @param all the keys and values of all layers, [tokens, layers · 2 · width], which gradient checkpointing then does
 * not compute again in a layer
 */
function tokens({ names, width }: PrefixShape, count: number, all: Value): VirtualTokens {
  return {
    count,
    states(name) {
      const at = names.indexOf(name);
      return slice(all, 1, at * width, (at + 1) * width);
    },
  };
}
