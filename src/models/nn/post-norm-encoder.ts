import { add, slice } from '../../engine/graph/build.ts';
import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { activation } from './activation.ts';
import { attention, queryKeyValue } from './attention.ts';
import { attentionBias } from './attention-bias.ts';
import { type EncoderStates, encoderLayers } from './encoder-layers.ts';
import { layerNormModule } from './layer-norm.ts';
import type { Network, Sublayer, SublayerEnd } from './network.ts';

/** A model family's names for the modules of a layer, as paths relative to the layer. */
interface PostNormModules {
  query: string;
  key: string;
  value: string;
  /** The linear module that reads the concatenated heads. */
  attended: string;
  /** The module that produces attention's output, dropout included. Adapters are placed after it. */
  attention: string;
  attentionNorm: string;
  inner: string;
  outer: string;
  /** The module that produces the feed-forward network's output, dropout included. */
  feedForward: string;
  feedForwardNorm: string;
}

interface PostNormSettings {
  modules: PostNormModules;
  layers: number;
  /** Path of layer i in the module list. Default: its index. */
  path?: (i: number) => string;
  heads: number;
  innerWidth: number;
  /** Activation of the feed-forward network, from {@link activation}. */
  activation: ReturnType<typeof activation>;
  epsilon: number;
  /**
   * Dropout probabilities: of attention weights (`weights`), of attention's output and of the feed-forward network's
   * output.
   */
  dropout: { weights: number; attended: number; outer: number };
  /** Added to the scores of every layer: [1, heads, tokens, tokens] */
  scoreBias?: Value;
}

interface EncoderInputs {
  attentionMask: Value;
  batch: Dimension;
  /** Whether the last layer computes all tokens even if only the first ones are returned. */
  everyRow?: boolean;
}

/**
 * The encoder of Vaswani et al. (2017): self-attention, then the feed-forward network, each followed by a residual sum
 * and a layer norm. Takes hidden states [sequence · batch, width]. {@link encoderLayers} describes the result.
 *
 * @param list the module list with a layer at each index
 */
export function postNormEncoder(
  list: Network,
  settings: PostNormSettings,
  embedded: Value,
  inputs: EncoderInputs,
  rows?: EncoderStates,
): Value {
  const padding = attentionBias(inputs.attentionMask);
  const width = embedded.shape[1] as number;
  const { modules, path = String, heads, innerWidth, epsilon, dropout, scoreBias } = settings;
  const bias = scoreBias ? add(scoreBias, padding) : padding;
  const options = { batch: inputs.batch, heads, headSize: width / heads, dropout: dropout.weights };

  /**
   * @param asked the part of hidden for which the layer is computed, or all of it
   */
  const layer = (network: Network, hidden: Value, asked: Value): Value => {
    const norm = (name: string) => (x: Value) => layerNormModule(network.at(name), x, epsilon);
    const names = [modules.query, modules.key, modules.value] as const;
    const parts = queryKeyValue(network, names, { hidden, asked }, width);
    const queries = asked === hidden ? bias.shape[3]! : 1;
    const seen = asked === hidden || !scoreBias ? bias : slice(bias, 2, 0, 1);
    const mixed = attention(network, parts, seen, { ...options, queries });
    const projected = network.dropout(network.linear(modules.attended, mixed, width), dropout.attended);
    const attended = addAndNorm(network.at(modules.attention), 'attention', projected, {
      residual: asked,
      norm: norm(modules.attentionNorm),
    });
    const inner = settings.activation(network.linear(modules.inner, attended, innerWidth));
    const outer = network.dropout(network.linear(modules.outer, inner, width), dropout.outer);
    return addAndNorm(network.at(modules.feedForward), 'feedForward', outer, {
      residual: attended,
      norm: norm(modules.feedForwardNorm),
    });
  };

  return encoderLayers(list, settings.layers, embedded, { ...inputs, rows }, (i, hidden, asked) =>
    layer(list.at(path(i)), hidden, asked),
  );
}

/**
 * Ends a post-norm sublayer: returns the norm of its output plus the residual, [rows, width].
 *
 * @param module the module that produces the output h, dropout included
 */
export function addAndNorm(
  module: Network,
  kind: Sublayer['kind'],
  h: Value,
  end: Required<SublayerEnd>,
): Value {
  return end.norm(add(module.sublayer(kind, h, end), end.residual));
}
