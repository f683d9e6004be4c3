import { add, multiply, reshape } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { encodeLast } from '../../heads/feature-head.ts';
import { wordLogits } from '../../heads/masked-lm-head.ts';
import type { Encode, Head, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type DecoderAttentionOptions, decoderAttention } from '../../nn/decoder-attention.ts';
import { decoderLayers, type LayerRows } from '../../nn/decoder-layers.ts';
import { wordEmbedding } from '../../nn/embedding.ts';
import { selectRows } from '../../nn/last-rows.ts';
import type { Network, Sublayer, SublayerEnd } from '../../nn/network.ts';
import { rmsNormModule } from '../../nn/rms-norm.ts';
import type { DecoderConfig } from './config.ts';

interface GatedFeedForwardOptions {
  /** Number of features between the two projections. */
  inner: number;
  activation: (x: Value) => Value;
  bias?: boolean;
}

type LayerConfig = DecoderConfig & { mlp_bias?: boolean };

/**
 * A layer: attention, then the gated feed-forward network, each applied to a norm of the hidden states. The
 * sublayers are the modules `self_attn` and `mlp`.
 *
 * @param attend applies the module `self_attn` to hidden states
 */
function llamaLayer(
  network: Network,
  config: LayerConfig,
  { hidden, residual }: LayerRows,
  attend: (x: Value) => Value,
): Value {
  const norm = (name: string, x: Value) => rmsNormModule(network.at(name), x, config.rms_norm_eps);
  const [attention, mlp] = [network.at('self_attn'), network.at('mlp')];
  const mixed = attend(norm('input_layernorm', hidden));
  const attended = add(residual, attention.sublayer('attention', mixed, { residual }));
  const inner = feedForward(mlp, config, norm('post_attention_layernorm', attended));
  return add(attended, mlp.sublayer('feedForward', inner, { residual: attended }));
}

/**
 * The end of a sublayer with a norm before the residual: residual + norm(h), as in Gemma 2 and OLMo 2. An
 * adapter is placed before this norm.
 *
 * @param module the module that computes h
 */
export function normAndAdd(
  module: Network,
  kind: Sublayer['kind'],
  h: Value,
  end: Required<SublayerEnd>,
): Value {
  return add(end.residual, end.norm(module.sublayer(kind, h, end)));
}

/** The module `mlp`. */
export function feedForward(module: Network, config: LayerConfig, x: Value): Value {
  return gatedFeedForward(module, x, {
    inner: config.intermediate_size,
    activation: activation(config.hidden_act),
    bias: config.mlp_bias,
  });
}

/** Feed-forward network with a gated linear unit (Shazeer, 2020): down_proj(activation(gate_proj x) · up_proj x). */
function gatedFeedForward(
  module: Network,
  x: Value,
  { inner, activation, bias = false }: GatedFeedForwardOptions,
): Value {
  const [gate, up] = module.linearGroup(['gate_proj', 'up_proj'], x, [inner, inner], { bias });
  const width = x.shape[1] as number;
  return module.linear('down_proj', multiply(activation(gate), up), width, { bias });
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
  /**
   * Builds a layer. Default: Llama's layer.
   *
   * @param attend applies the module `self_attn` to hidden states of all tokens, and returns those of `rows.residual`
   */
  layer?(network: Network, config: Config, rows: LayerRows, attend: (x: Value) => Value): Value;
  /** Factor of the word embeddings. Default: 1. */
  embeddingScale?(config: Config): number;
  /** A norm multiplies by its weight plus this. Default: 0. */
  normOffset?: number;
}

/** A decoder without a head. Returns the last layer's normalized hidden states, of all tokens or those in `inputs.asked`. */
export function decoderModel<Config extends DecoderConfig>(
  { attention, layer = llamaLayer, embeddingScale = () => 1, normOffset }: DecoderParts<Config>,
  module: Network,
  config: Config,
  inputs: ModelInputs,
): Value {
  const { vocab_size, hidden_size, pad_token_id } = config;
  const table = module.at('embed_tokens');
  const embedded = wordEmbedding(table, [vocab_size, hidden_size], inputs.inputIds, {
    padding: pad_token_id,
    scale: embeddingScale(config),
    virtual: inputs.virtual,
  });
  const hidden = decoderLayers(module, config.num_hidden_layers, embedded, inputs.asked, (i, rows) => {
    const network = module.at(`layers.${i}`);
    const options = { ...commonOptions(config), ...attention(config, i) };
    const attend = (x: Value) => decoderAttention(network.at('self_attn'), x, inputs, options, rows.asked);
    return layer(network, config, rows, attend);
  });
  return rmsNormModule(module.at('norm'), hidden, config.rms_norm_eps, normOffset);
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
