import { z } from 'zod';
import { add } from '../../../engine/graph/build.ts';
import { addDimensions, type Dimension } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { lazy } from '../../../support/options.ts';
import {
  byOwnNames,
  encoderFields,
  layers,
  parseFields,
  probability,
  readLabels,
  size,
} from '../../config-fields.ts';
import type { CommonConfig, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { attention } from '../../nn/attention.ts';
import { attentionBias, causalBias } from '../../nn/attention-bias.ts';
import { absolutePositions, wordEmbedding } from '../../nn/embedding.ts';
import type { AttentionCache } from '../../nn/key-value-cache.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network, Sublayer } from '../../nn/network.ts';
import { addAndNorm } from '../../nn/post-norm-encoder.ts';

/** Default number of labels, if a config does not name labels. */
const DEFAULT_LABELS = 3;

const layerdrop = z
  .number()
  .nullable()
  .default(0)
  .refine((value) => !value, {
    message: 'LayerDrop is not supported; set it to 0, which does not change predictions',
  });

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(50265),
    max_position_embeddings: size.default(1024),
    d_model: size.default(1024),
    encoder_layers: layers.default(12),
    encoder_attention_heads: size.default(16),
    encoder_ffn_dim: size.default(4096),
    encoder_layerdrop: layerdrop,
    decoder_layers: layers.default(12),
    decoder_attention_heads: size.default(16),
    decoder_ffn_dim: size.default(4096),
    decoder_layerdrop: layerdrop,
    activation_function: z.string().default('gelu'),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0),
    activation_dropout: probability.default(0),
    classifier_dropout: probability.default(0),
    init_std: z.number().positive().default(0.02),
    scale_embedding: z.boolean().default(false),
    pad_token_id: z.int().min(0).default(1),
    eos_token_id: z
      .union([z.int(), z.array(z.int())])
      .nullable()
      .default(2),
    decoder_start_token_id: z.int().min(0).default(2),
    is_encoder_decoder: z.literal(true).default(true),
    tie_word_embeddings: z.boolean().default(true),
  })
  .superRefine(({ d_model, encoder_attention_heads, decoder_attention_heads }, { addIssue }) => {
    for (const [name, heads] of Object.entries({ encoder_attention_heads, decoder_attention_heads })) {
      if (d_model % heads !== 0) addIssue({ code: 'custom', path: [name], message: 'must divide d_model' });
    }
  });

export type BartConfig = z.infer<typeof schema> & CommonConfig;

/** Alternative field names that transformers accepts for BART. */
const OTHER_NAMES = {
  hidden_size: 'd_model',
  num_attention_heads: 'encoder_attention_heads',
  num_hidden_layers: 'encoder_layers',
};

/** Parses a config.json of `model_type` bart. Fields keep Hugging Face's names. */
export function parseBartConfig(json: unknown, where: string): BartConfig {
  const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
  return {
    ...fields,
    ...readLabels(fields, DEFAULT_LABELS),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: fields.max_position_embeddings,
    initializerRange: fields.init_std,
    padTokenId: fields.pad_token_id,
    decoderStartTokenId: fields.decoder_start_token_id,
  };
}

/** The part of a config that attention reads. */
interface AttentionConfig {
  d_model: number;
  attention_dropout: number;
  /** Whether the projection of keys has a bias. Whisper's has none. Default: true. */
  keyBias?: boolean;
}

/** Inputs of attention besides the queries' hidden states. */
interface Asking {
  batch: Dimension;
  /** Number of query tokens per example. */
  queries: Dimension;
  heads: number;
  /** Added to the scores: [batch | 1, 1, queries | 1, keys]. Undefined if every query reads every key. */
  bias?: Value;
  cache?: AttentionCache;
}

/** The module `self_attn`: self-attention. In a decoder, queries also attend to cached tokens. */
export function selfAttention(
  module: Network,
  config: AttentionConfig,
  hidden: Value,
  asking: Asking,
): Value {
  const { d_model: width, keyBias = true } = config;
  const [query, key, value] = module.linearGroup(
    ['q_proj', 'k_proj', 'v_proj'],
    hidden,
    [width, width, width],
    { bias: [true, keyBias, true] },
  );
  const remember = (name: string, rows: Value) =>
    asking.cache?.extend(module.pathOf(name), rows, asking.queries, width / asking.heads) ?? rows;
  return attend(module, config, [query, remember('key', key), remember('value', value)], asking);
}

/** The encoder's output, as the decoder reads it. */
interface Encoded {
  /** [sequence · batch, d_model]; built only when this is called. */
  states: () => Value;
  sequence: Dimension;
}

/**
 * The module `encoder_attn`: the decoder's attention to the encoder's output. If there is a cache, it stores
 * the keys and values.
 */
export function crossAttention(
  module: Network,
  config: AttentionConfig,
  hidden: Value,
  { states, sequence, ...asking }: Asking & Encoded,
): Value {
  const { d_model: width, keyBias = true } = config;
  const query = module.linear('q_proj', hidden, width);
  const projected = lazy(() =>
    module.linearGroup(['k_proj', 'v_proj'], states(), [width, width], { bias: [keyBias, true] }),
  );
  const heads = { width, headSize: width / asking.heads };
  const [key, value] = ['key', 'value'].map((name, i) => {
    const rows = () => projected()[i]!;
    return asking.cache?.keep(module.pathOf(name), sequence, heads, rows) ?? rows();
  }) as [Value, Value];
  return attend(module, config, [query, key, value], { ...asking, keys: sequence });
}

function attend(
  module: Network,
  { d_model, attention_dropout: dropout }: AttentionConfig,
  queryKeyValue: readonly [Value, Value, Value],
  { batch, queries, heads, bias, keys }: Asking & { keys?: Dimension },
): Value {
  const options = {
    batch,
    queries,
    heads,
    headSize: d_model / heads,
    dropout,
    ...(keys !== undefined && { keys }),
  };
  return module.linear('out_proj', attention(module, queryKeyValue, bias, options), d_model);
}

/** Epsilon of every layer norm in BART. */
const LAYER_NORM_EPSILON = 1e-5;

/** The paths of a layer's sublayers, and of the layer norms that follow them. */
const SUBLAYERS = {
  attention: ['self_attn', 'self_attn_layer_norm'],
  crossAttention: ['encoder_attn', 'encoder_attn_layer_norm'],
  feedForward: ['fc2', 'final_layer_norm'],
} as const;

/** Ends a sublayer: dropout of its output, the residual, and a layer norm. */
function endSublayer(
  layer: Network,
  config: BartConfig,
  kind: Sublayer['kind'],
  { output, residual }: { output: Value; residual: Value },
): Value {
  const [module, norm] = SUBLAYERS[kind];
  return addAndNorm(layer.at(module), kind, layer.dropout(output, config.dropout), {
    residual,
    norm: (sum) => layerNormModule(layer.at(norm), sum, LAYER_NORM_EPSILON),
  });
}

/** The feed-forward network at the end of each layer. */
function feedForward(layer: Network, config: BartConfig, hidden: Value, innerSize: number): Value {
  const inner = layer.linear('fc1', hidden, innerSize);
  const active = activation(config.activation_function, 'activation_function')(inner);
  const output = layer.linear('fc2', layer.dropout(active, config.activation_dropout), config.d_model);
  return endSublayer(layer, config, 'feedForward', { output, residual: hidden });
}

/** The path of the word embeddings. Encoder and decoder share them, and a tied language model head does too. */
export const SHARED = 'model.shared';

/** Row of the first position. The first two rows of the table are not used. */
const FIRST_POSITION = 2;

/**
 * Word and position embeddings of the encoder or the decoder, summed and normalized: [tokens · batch,
 * d_model].
 *
 * @param ids int32 [tokens, batch]
 * @param past number of earlier tokens
 */
function bartEmbeddings(
  network: Network,
  config: BartConfig,
  side: 'encoder' | 'decoder',
  { ids, past }: { ids: Value; past: Dimension },
): Value {
  const { vocab_size, max_position_embeddings, d_model: width, pad_token_id } = config;
  const [sequence, batch] = ids.shape as [Dimension, Dimension];
  const module = network.at(`model.${side}`);
  const table = config.tie_word_embeddings ? network.at(SHARED) : module.at('embed_tokens');
  const words = wordEmbedding(table, [vocab_size, width], ids, {
    padding: pad_token_id,
    scale: config.scale_embedding ? Math.sqrt(width) : 1,
  });
  const positions = absolutePositions(
    module.at('embed_positions'),
    [max_position_embeddings + FIRST_POSITION, width],
    { batch, sequence },
    addDimensions(past, FIRST_POSITION),
  );
  const sum = add(words, positions);
  const normalized = layerNormModule(module.at('layernorm_embedding'), sum, LAYER_NORM_EPSILON);
  return network.dropout(normalized, config.dropout);
}

/**
 * Encoder and decoder. Returns the decoder's hidden states, [target · batch, d_model]. The encoder is built
 * only if the decoder requests its states, because a cache may already contain its keys and values.
 */
export function bartModel(network: Network, config: BartConfig, inputs: ModelInputs): Value {
  const padding = attentionBias(inputs.attentionMask);
  const build = () => encoder(network, config, inputs, padding);
  const states = lazy(() => inputs.cache?.states?.(build) ?? build());
  return decoder(network, config, inputs, { states, sequence: inputs.sequence, bias: padding });
}

function encoder(network: Network, config: BartConfig, inputs: ModelInputs, bias: Value): Value {
  const { inputIds, sequence, batch } = inputs;
  const asking = { batch, queries: sequence, heads: config.encoder_attention_heads, bias };
  let hidden = bartEmbeddings(network, config, 'encoder', { ids: inputIds, past: 0 });
  for (let i = 0; i < config.encoder_layers; i++) {
    network.layerInput(hidden);
    const layer = network.at(`model.encoder.layers.${i}`);
    const output = selfAttention(layer.at('self_attn'), config, hidden, asking);
    const attended = endSublayer(layer, config, 'attention', { output, residual: hidden });
    hidden = feedForward(layer, config, attended, config.encoder_ffn_dim);
  }
  // The decoder's layers read these states.
  return network.layerInput(hidden);
}

/** @param encoded the encoder's output, with the bias that masks its padding */
function decoder(
  network: Network,
  config: BartConfig,
  inputs: ModelInputs,
  encoded: Encoded & { bias: Value },
): Value {
  const { decoderInputIds, batch, target, cache } = inputs;
  const past = cache?.past ?? 0;
  const causal = causalBias(decoderInputIds, target, addDimensions(past, target));
  const asking = { batch, queries: target, heads: config.decoder_attention_heads, cache };
  let hidden = bartEmbeddings(network, config, 'decoder', { ids: decoderInputIds, past });
  for (let i = 0; i < config.decoder_layers; i++) {
    network.layerInput(hidden);
    const layer = network.at(`model.decoder.layers.${i}`);
    const output = selfAttention(layer.at('self_attn'), config, hidden, { ...asking, bias: causal });
    const attended = endSublayer(layer, config, 'attention', { output, residual: hidden });
    const crossed = crossAttention(layer.at('encoder_attn'), config, attended, { ...asking, ...encoded });
    const informed = endSublayer(layer, config, 'crossAttention', { output: crossed, residual: attended });
    hidden = feedForward(layer, config, informed, config.decoder_ffn_dim);
  }
  return hidden;
}
