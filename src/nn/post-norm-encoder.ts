import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { activation } from './activation.ts';
import { addAndNorm } from './add-and-norm.ts';
import { attention } from './attention.ts';
import { attentionBias } from './attention-bias.ts';
import { layerNorm } from './layer-norm.ts';
import type { Network } from './network.ts';

/** What a family calls the modules of a layer: paths below the layer's own. */
interface PostNormModules {
  query: string;
  key: string;
  value: string;
  /** The linear module over what the heads give. */
  attended: string;
  /** The module whose output is attention's, dropout included: where adapters stand. */
  attention: string;
  attentionNorm: string;
  inner: string;
  outer: string;
  /** The same for the feed-forward network. */
  feedForward: string;
  feedForwardNorm: string;
}

interface PostNormSettings {
  modules: PostNormModules;
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
 * @param list the modules' list, in which each layer lies by its number
 */
export function postNormEncoder(
  list: Network,
  settings: PostNormSettings,
  embedded: Value,
  { attentionMask, batch }: { attentionMask: Value; batch: Dimension },
): Value {
  const bias = attentionBias(attentionMask);
  const width = embedded.shape[1] as number;
  const { modules, heads, innerWidth, epsilon, dropout } = settings;
  const options = { batch, queries: bias.shape[3], heads, headSize: width / heads, dropout: dropout.weights };

  const layer = (network: Network, hidden: Value): Value => {
    const norm = (name: string) => (x: Value) => layerNorm(network.at(name), x, epsilon);
    const queryKeyValue = network.linearGroup([modules.query, modules.key, modules.value], hidden, [
      width,
      width,
      width,
    ]);
    const mixed = attention(network, queryKeyValue, bias, options);
    const projected = network.dropout(network.linear(modules.attended, mixed, width), dropout.attended);
    const attended = addAndNorm(network.at(modules.attention), 'attention', projected, {
      residual: hidden,
      norm: norm(modules.attentionNorm),
    });
    const inner = settings.activation(network.linear(modules.inner, attended, innerWidth));
    const outer = network.dropout(network.linear(modules.outer, inner, width), dropout.outer);
    return addAndNorm(network.at(modules.feedForward), 'feedForward', outer, {
      residual: attended,
      norm: norm(modules.feedForwardNorm),
    });
  };

  let hidden = embedded;
  for (let i = 0; i < settings.layers; i++) hidden = layer(list.at(`${i}`), list.layerInput(hidden));
  return hidden;
}
