import { add, multiply, reshape } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { encodeLast } from '../../heads/feature-head.ts';
import { wordLogits } from '../../heads/masked-lm-head.ts';
import type { Encode, Head, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type DecoderAttentionOptions, decoderAttention } from '../../nn/decoder-attention.ts';
import { decoderLayers } from '../../nn/decoder-layers.ts';
import { wordEmbedding } from '../../nn/embedding.ts';
import { selectRows } from '../../nn/last-rows.ts';
import type { Network } from '../../nn/network.ts';
import { rmsNormModule } from '../../nn/rms-norm.ts';
import type { DecoderConfig } from './config.ts';

/** The names of a sublayer's norms: of its input, and of its output before it is added to the residual. */
interface SublayerNorms {
  before?: string;
  after?: string;
}

/** The norms of a layer's sublayers, the modules `self_attn` and `mlp`. */
export interface LayerNorms {
  attention: SublayerNorms;
  feedForward: SublayerNorms;
}

export const LLAMA_NORMS: LayerNorms = {
  attention: { before: 'input_layernorm' },
  feedForward: { before: 'post_attention_layernorm' },
};

/** A gated linear unit (Shazeer, 2020): down_proj(activation(gate_proj x) · up_proj x). */
function gatedFeedForward(module: Network, config: DecoderConfig & { mlp_bias?: boolean }, x: Value): Value {
  const { intermediate_size: inner, hidden_act, mlp_bias: bias = false } = config;
  const [gate, up] = module.linearGroup(['gate_proj', 'up_proj'], x, [inner, inner], { bias });
  const width = x.shape[1] as number;
  return module.linear('down_proj', multiply(activation(hidden_act)(gate), up), width, { bias });
}

/** Default dropout before the token classifier: a constant of transformers. */
const CLASSIFIER_DROPOUT = 0.1;

/**
 * Logits of the next token.
 *
 * @param finish transforms the logits
 * @param words the path of the word embeddings
 */
export function causalHead<Config extends DecoderConfig>(
  architecture: string,
  model: Encode<Config>,
  words: string,
  finish: (logits: Value, config: Config) => Value,
): Head<Config> {
  return {
    architecture,
    modules: [],
    mayLack: ['lm_head'],
    build(network, config, inputs) {
      const rows = selectRows(model(network, config, inputs), inputs.logitRows);
      return finish(wordLogits(network, config, words, rows), config);
    },
  };
}

/** Sequence classification: `score` over the last real token. */
export function sequenceHead<Config extends DecoderConfig>(
  architecture: string,
  model: Encode<Config>,
): Head<Config> {
  return {
    architecture,
    modules: ['score'],
    build(network, config, inputs) {
      const last = encodeLast(model, network, config, inputs, config.padTokenId);
      return network.linear('score', last, config.numLabels, { bias: false });
    },
  };
}

/** Token classification: dropout, then `score` over every token. */
export function decoderTokenHead<Config extends DecoderConfig>(
  architecture: string,
  model: Encode<Config>,
): Head<Config> {
  return {
    architecture,
    modules: ['score'],
    build(network, config, inputs) {
      const rows = selectRows(model(network, config, inputs), inputs.logitRows);
      const dropped = network.dropout(
        rows,
        config.classifier_dropout ?? config.hidden_dropout ?? CLASSIFIER_DROPOUT,
      );
      const bias = config.token_classification_bias;
      return network.linear('score', dropped, config.numLabels, { bias });
    },
  };
}

/** The parts that Llama-like families compute differently. */
export interface DecoderParts<Config extends DecoderConfig> {
  /** Attention options of a layer. They are added to those from common config fields. */
  attention(config: Config, layer: number): Partial<DecoderAttentionOptions>;
  /** Computes the module `mlp` of a layer. Default: a gated linear unit. */
  feedForward?(module: Network, config: Config, x: Value, layer: number): Value;
  /** Default: Llama's, before each sublayer. */
  norms?: LayerNorms;
  /** Dropout of the output of sublayers. Default: 0. */
  dropout?(config: Config): number;
  /** Factor of the word embeddings. Default: 1. */
  embeddingScale?(config: Config): number;
  /** A norm multiplies by its weight plus this. Default: 0. */
  normOffset?: number;
}

/** A decoder without a head. Returns the last layer's normalized hidden states, of all tokens or those in `inputs.asked`. */
export function decoderModel<Config extends DecoderConfig>(
  parts: DecoderParts<Config>,
  module: Network,
  config: Config,
  inputs: ModelInputs,
): Value {
  const { attention, feedForward = gatedFeedForward, norms = LLAMA_NORMS, normOffset } = parts;
  const { vocab_size, hidden_size, pad_token_id, rms_norm_eps: epsilon } = config;
  const table = module.at('embed_tokens');
  const embedded = wordEmbedding(table, [vocab_size, hidden_size], inputs.inputIds, {
    padding: pad_token_id,
    scale: parts.embeddingScale?.(config),
  });
  const hidden = decoderLayers(module, config.num_hidden_layers, embedded, inputs.asked, (i, rows) => {
    const layer = module.at(`layers.${i}`);
    const norm = (name: string) => (x: Value) => rmsNormModule(layer.at(name), x, epsilon, normOffset);
    const sublayer = (
      kind: keyof LayerNorms,
      module: Network,
      x: Value,
      residual: Value,
      compute: (x: Value) => Value,
    ) => {
      const { before, after } = norms[kind];
      const h = layer.dropout(compute(before ? norm(before)(x) : x), parts.dropout?.(config) ?? 0);
      const end = { residual, norm: after === undefined ? undefined : norm(after) };
      const replaced = module.sublayer(kind, h, end);
      return add(residual, end.norm ? end.norm(replaced) : replaced);
    };
    const [attend, mlp] = [layer.at('self_attn'), layer.at('mlp')];
    const options = { ...commonOptions(config), ...attention(config, i) };
    const attended = sublayer('attention', attend, rows.hidden, rows.residual, (x) =>
      decoderAttention(attend, x, inputs, options, rows.asked),
    );
    return sublayer('feedForward', mlp, attended, attended, (x) => feedForward(mlp, config, x, i));
  });
  return rmsNormModule(module.at('norm'), hidden, epsilon, normOffset);
}

function commonOptions(config: DecoderConfig): DecoderAttentionOptions {
  return {
    heads: config.num_attention_heads,
    keyValueHeads: config.keyValueHeads,
    headSize: config.headSize,
    rotary: config.rotary,
    dropout: config.attention_dropout,
  };
}

/** Returns a function that normalizes each head in rows [tokens, heads · headSize]; see `rmsNorm`. */
export function normOfHeads(headSize: number, epsilon: number, offset = 0) {
  return (norm: Network, rows: Value): Value => {
    const [tokens, width] = rows.shape;
    const heads = reshape(rows, [tokens!, (width as number) / headSize, headSize]);
    return reshape(rmsNormModule(norm, heads, epsilon, offset), rows.shape);
  };
}
