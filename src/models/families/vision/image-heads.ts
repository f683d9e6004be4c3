import { concat, divide, reshape, slice, sum } from '../../../engine/graph/build.ts';
import type { Dimension } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { CommonConfig, Head, ModelInputs } from '../../model-definition.ts';
import type { Network } from '../../nn/network.ts';
import { toUnitLength } from '../../nn/pool-tokens.ts';
import { PLAIN_SENTENCE } from '../../sentence-settings.ts';

/** The tokens of images after the encoder. */
export interface EncodedImage {
  /** [tokens · batch, width] */
  hidden: Value;
  batch: Dimension;
  /** Number of tokens of an image. */
  tokens: number;
  /** Number of tokens before those of its patches. */
  before: number;
}

/** The mean of the states of each image's patches, [batch, width]. */
export function meanPatches({ hidden, batch, tokens, before }: EncodedImage): Value {
  const width = hidden.shape[1]!;
  const states = slice(reshape(hidden, [tokens, batch, width]), 0, before, tokens);
  return divide(sum(states, [0]), tokens - before);
}

/** The class token and the mean of the patches, [batch, 2 · width]. */
export function classAndMean(encoded: EncodedImage): Value {
  return concat([slice(encoded.hidden, 0, 0, encoded.batch), meanPatches(encoded)], 1);
}

/** The state of each image's first token, [batch, width]. */
export function classToken({ hidden, batch }: EncodedImage): Value {
  return slice(hidden, 0, 0, batch);
}

/** How a family encodes images, and the features that its classifier reads. */
interface ImageFeatures<Config> {
  states: (network: Network, config: Config, inputs: ModelInputs) => EncodedImage;
  features: (encoded: EncodedImage) => Value;
}

/** A classifier on features of images. */
export function imageHead<Config extends CommonConfig>(
  architecture: string,
  { states, features }: ImageFeatures<Config>,
  unread?: readonly string[],
): Head<Config> {
  return {
    architecture,
    modules: ['classifier'],
    ...(unread && { unread }),
    build: (network, config, inputs) =>
      network.linear('classifier', features(states(network, config, inputs)), config.numLabels),
  };
}

/**
 * A base model without a head: one vector per image, which is transformers' `pooler_output` (pooling `cls`) or what
 * its classifier reads (any other pooling).
 */
export function imageVectorHead<Config extends CommonConfig>(
  architecture: string,
  prefix: string,
  vectors: ImageFeatures<Config> & {
    pooled: (network: Network, config: Config, encoded: EncodedImage) => Value;
    width(config: Config, isPooled: boolean): number;
  },
): Head<Config> {
  const poolingOf = ({ sentence = PLAIN_SENTENCE }: Config) => sentence.pooling;
  return {
    architecture,
    baseModelPrefix: '',
    modules: [],
    unread: ['pooler'],
    outputs: (config) => vectors.width(config, poolingOf(config).mode === 'cls'),
    build(network, config, inputs) {
      const { mode, normalize } = poolingOf(config);
      const base = inputs.belowHead ? network : network.without(prefix);
      const encoded = vectors.states(base, config, inputs);
      inputs.onTokens?.(encoded.hidden);
      const vector = mode === 'cls' ? vectors.pooled(base, config, encoded) : vectors.features(encoded);
      return normalize ? toUnitLength(vector) : vector;
    },
  };
}
