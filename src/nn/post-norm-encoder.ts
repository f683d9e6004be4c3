import { add } from '../graph/build.ts';
import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { activation } from './activation.ts';
import { attention } from './attention.ts';
import { attentionBias } from './attention-bias.ts';
import { layerNorm } from './layer-norm.ts';
import type { Network } from './network.ts';

/** What a family calls the modules of a layer, below the layer's own path. */
export interface PostNormModules {
  query: string;
  key: string;
  value: string;
  attended: string;
  attendedNorm: string;
  inner: string;
  outer: string;
  outerNorm: string;
}

export interface PostNormSettings {
  layers: number;
  heads: number;
  innerWidth: number;
  /** The feed-forward network's, from {@link activation}. */
  activation: ReturnType<typeof activation>;
  epsilon: number;
  /** Probabilities: of attention's weights, and of what attention and the feed-forward network give. */
  dropout: { weights: number; attended: number; outer: number };
}

/**
 * The encoder of Vaswani et al. (2017): self-attention, then the feed-forward network, each with a residual and a layer
 * norm after it. Takes and gives hidden states [sequence · batch, width].
 *
 * @param path where the layers lie, each at `path.<number>`
 */
export function postNormEncoder(
  network: Network,
  path: string,
  modules: PostNormModules,
  settings: PostNormSettings,
  embedded: Value,
  { attentionMask, batch }: { attentionMask: Value; batch: Dimension },
): Value {
  const bias = attentionBias(attentionMask);
  const width = embedded.shape[1] as number;
  const { heads, innerWidth, epsilon, dropout } = settings;
  const shape = { batch, queries: bias.shape[3], heads, headSize: width / heads };

  const layer = (hidden: Value, at: (module: keyof PostNormModules) => string): Value => {
    const normalised = (norm: 'attendedNorm' | 'outerNorm', x: Value, probability: number, residual: Value) =>
      layerNorm(network, at(norm), add(network.dropout(x, probability), residual), epsilon);
    const projections = [at('query'), at('key'), at('value')];
    const queryKeyValue = network.linearGroup(projections, hidden, [width, width, width]);
    const mixed = attention(network, queryKeyValue, bias, shape, { dropout: dropout.weights });
    const projected = network.linear(at('attended'), mixed, width);
    const attended = normalised('attendedNorm', projected, dropout.attended, hidden);
    const inner = settings.activation(network.linear(at('inner'), attended, innerWidth));
    return normalised('outerNorm', network.linear(at('outer'), inner, width), dropout.outer, attended);
  };

  let hidden = embedded;
  for (let i = 0; i < settings.layers; i++)
    hidden = layer(network.layerInput(hidden), (module) => `${path}.${i}.${modules[module]}`);
  return hidden;
}
