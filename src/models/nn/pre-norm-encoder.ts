import { add, multiply } from '../../engine/graph/build.ts';
import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { activation } from './activation.ts';
import { attention } from './attention.ts';
import { type EncoderStates, encoderLayers } from './encoder-layers.ts';
import { firstTokens } from './last-rows.ts';
import { layerNormModule } from './layer-norm.ts';
import type { Network } from './network.ts';

/** A model family's names for the modules of a layer, as paths relative to the layer. */
interface PreNormModules {
  attention: string;
  query: string;
  key: string;
  value: string;
  /** The linear module that reads the concatenated heads. */
  attended: string;
  attentionNorm: string;
  feedForwardNorm: string;
  /** Undefined if the feed-forward network's modules are the layer's own. */
  feedForward?: string;
}

interface PreNormSettings {
  modules: PreNormModules;
  layers: number;
  heads: number;
  /** Whether queries, keys and values have a bias: all of them, or each. */
  bias: boolean | readonly [query: boolean, key: boolean, value: boolean];
  epsilon: number;
  dropout: { weights: number; hidden: number };
  /** Builds the feed-forward network on normalized hidden states, [rows, width]. */
  feedForward(module: Network, x: Value): Value;
  /** Modules with the factors of a layer scale: of attention's output and of the feed-forward network's. */
  scales?: readonly [attention: string, feedForward: string];
}

/**
 * The encoder of vision transformers (Dosovitskiy et al., 2021): each sublayer reads the norm of the hidden states
 * [tokens · batch, width], and every token reads all others of its image. {@link encoderLayers} describes the result,
 * which has no final norm.
 */
export function preNormEncoder(
  list: Network,
  settings: PreNormSettings,
  embedded: Value,
  { batch, tokens, everyRow }: { batch: Dimension; tokens: number; everyRow?: boolean },
  rows?: EncoderStates,
): Value {
  const width = embedded.shape[1] as number;
  const { modules, heads, bias, epsilon, dropout, scales } = settings;
  const options = { batch, heads, headSize: width / heads, dropout: dropout.weights, keys: tokens };

  /** @param i the sublayer's place in `scales` */
  const ended = (layer: Network, i: 0 | 1, h: Value, residual: Value): Value => {
    const path = scales?.[i] ?? (i === 0 ? modules.attention : (modules.feedForward ?? 'fc2'));
    const factors = scales && layer.parameter(`${path}.lambda1`, [width]);
    const scaled = factors ? multiply(h, factors) : h;
    const kind = i === 0 ? 'attention' : 'feedForward';
    return add(layer.at(path).sublayer(kind, scaled, { residual }), residual);
  };

  return encoderLayers(list, settings.layers, embedded, { batch, everyRow, rows }, (i, hidden, asked) => {
    const layer = list.at(String(i));
    const normed = layerNormModule(layer.at(modules.attentionNorm), hidden, epsilon);
    const isAll = asked === hidden;
    const module = layer.at(modules.attention);
    const { query, key, value } = modules;
    const [asks, ...others] = typeof bias === 'boolean' ? [bias, bias, bias] : bias;
    const parts: [Value, Value, Value] = isAll
      ? module.linearGroup([query, key, value], normed, [width, width, width], { bias: [asks, ...others] })
      : [
          module.linear(query, firstTokens(normed, { batch }), width, { bias: asks }),
          ...module.linearGroup([key, value], normed, [width, width], { bias: others }),
        ];
    const mixed = attention(layer, parts, undefined, { ...options, queries: isAll ? tokens : 1 });
    const projected = layer.dropout(module.linear(modules.attended, mixed, width), dropout.hidden);
    const attended = ended(layer, 0, projected, asked);
    const normalized = layerNormModule(layer.at(modules.feedForwardNorm), attended, epsilon);
    const { feedForward } = modules;
    const outer = settings.feedForward(feedForward === undefined ? layer : layer.at(feedForward), normalized);
    return ended(layer, 1, layer.dropout(outer, dropout.hidden), attended);
  });
}

/** A feed-forward network of two linear modules. */
export function twoLayers(innerWidth: number, active: ReturnType<typeof activation>) {
  return (module: Network, x: Value): Value =>
    module.linear('fc2', active(module.linear('fc1', x, innerWidth)), x.shape[1] as number);
}
