import { z } from 'zod';
import {
  add,
  cast,
  constant,
  gather,
  greater,
  iota,
  multiply,
  relu,
  reshape,
  slice,
  subtract,
  transpose,
  where,
} from '../../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../../engine/graph/dimension.ts';
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
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import type { AttentionCache } from '../../nn/key-value-cache.ts';
import type { Network, Sublayer } from '../../nn/network.ts';
import { rmsNormModule } from '../../nn/rms-norm.ts';

/** Maximum distance: beyond any use, but small enough for tables. */
const MAX_DISTANCE = 65_536;

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(32128),
    d_model: size.default(512),
    d_kv: size.default(64),
    d_ff: size.default(2048),
    num_layers: layers.default(6),
    num_decoder_layers: layers.nullish(),
    num_heads: size.default(8),
    /** At least 4, because a quarter of the buckets (in the decoder, half) hold one distance each. */
    relative_attention_num_buckets: z.int().min(4).max(MAX_DISTANCE).default(32),
    relative_attention_max_distance: z.int().min(2).max(MAX_DISTANCE).default(128),
    dropout_rate: probability.default(0.1),
    layer_norm_epsilon: z.number().positive().default(1e-6),
    initializer_factor: z.number().positive().default(1),
    feed_forward_proj: z
      .string()
      .regex(/^(gated-)?\w+$/)
      .default('relu'),
    pad_token_id: z.int().min(0).default(0),
    decoder_start_token_id: z.int().min(0).nullish(),
    is_encoder_decoder: z.literal(true).default(true),
    dense_act_fn: z.string().optional(),
    is_gated_act: z.boolean().optional(),
    tie_word_embeddings: z.boolean().default(true),
    scale_decoder_outputs: z.boolean().optional(),
  })
  .refine((config) => 2 * config.relative_attention_max_distance > config.relative_attention_num_buckets, {
    path: ['relative_attention_max_distance'],
    message: 'must be above half of relative_attention_num_buckets',
  });

type Fields = z.infer<typeof schema>;
export type T5Config = Fields &
  Required<Pick<Fields, 'dense_act_fn' | 'is_gated_act' | 'scale_decoder_outputs'>> &
  CommonConfig;

/** Alternative field names that transformers accepts for T5. */
const OTHER_NAMES = {
  hidden_size: 'd_model',
  num_attention_heads: 'num_heads',
  num_hidden_layers: 'num_layers',
  head_dim: 'd_kv',
};

/**
 * Parses a config.json of `model_type` t5. Fields keep Hugging Face's names. T5 scales the decoder's outputs and ties
 * its output layer to the embeddings; T5 v1.1 does neither. transformers 5 saves `tie_word_embeddings` as true for both,
 * so `scale_decoder_outputs` decides if it is present.
 */
export function parseT5Config(json: unknown, where: string): T5Config {
  const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
  const { initializer_factor: factor, d_kv, feed_forward_proj } = fields;
  const scaled = fields.scale_decoder_outputs ?? fields.tie_word_embeddings;
  // The first gated models were trained with the tanh approximation, although their config has "gelu".
  const act = feed_forward_proj === 'gated-gelu' ? 'gelu_new' : feed_forward_proj.replace('gated-', '');
  return {
    ...fields,
    dense_act_fn: fields.dense_act_fn ?? act,
    is_gated_act: fields.is_gated_act ?? feed_forward_proj.startsWith('gated-'),
    scale_decoder_outputs: scaled,
    tie_word_embeddings: scaled,
    ...readLabels(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    // Positions are relative, so the length is not limited.
    maxLength: Number.POSITIVE_INFINITY,
    initializerRange: factor,
    // T5 does not divide scores by the square root of the head size. Its initial query weights contain this
    // factor instead.
    deviationOf(name, [, features]) {
      if (/^(shared|lm_head)\./.test(name)) return factor;
      if (name.includes('relative_attention_bias')) return factor / Math.sqrt(fields.d_model);
      return factor / Math.sqrt(name.endsWith('.q.weight') ? features! * d_kv : features!);
    },
    padTokenId: fields.pad_token_id,
    decoderStartTokenId: fields.decoder_start_token_id ?? fields.pad_token_id,
  };
}

/** Inputs of attention besides the queries' hidden states. */
interface Asking {
  batch: Dimension;
  /** Number of query tokens per example. */
  queries: Dimension;
  /** Added to the scores: [batch | 1, heads | 1, queries | 1, keys] */
  bias: Value;
  cache?: AttentionCache;
}

/** The encoder's output, as the decoder reads it. */
interface Encoded {
  /** [sequence · batch, d_model]; built only when this is called. */
  states: () => Value;
  sequence: Dimension;
}

const NO_BIAS = { bias: false };

/** Self-attention with its norm and residual. In a decoder, queries also attend to cached tokens. */
function selfAttention(layer: Network, config: T5Config, hidden: Value, asking: Asking): Value {
  return sublayer(layer, config, ['SelfAttention', 'attention'], hidden, (module, x) => {
    const width = config.num_heads * config.d_kv;
    const [query, key, value] = module.linearGroup(['q', 'k', 'v'], x, [width, width, width], NO_BIAS);
    const remember = (name: string, rows: Value) =>
      asking.cache?.extend(module.pathOf(name), rows, asking.queries, config.d_kv) ?? rows;
    return attend(module, config, [query, remember('key', key), remember('value', value)], asking);
  });
}

/**
 * The decoder's attention to the encoder's output, with its norm and residual. If there is a cache, it stores
 * the keys and values.
 */
function crossAttention(
  layer: Network,
  config: T5Config,
  hidden: Value,
  { states, sequence, ...asking }: Asking & Encoded,
): Value {
  return sublayer(layer, config, ['EncDecAttention', 'crossAttention'], hidden, (module, x) => {
    const width = config.num_heads * config.d_kv;
    const query = module.linear('q', x, width, NO_BIAS);
    const projected = lazy(() => module.linearGroup(['k', 'v'], states(), [width, width], NO_BIAS));
    const heads = { width, headSize: config.d_kv };
    const [key, value] = ['key', 'value'].map((name, i) => {
      const rows = () => projected()[i]!;
      return asking.cache?.keep(module.pathOf(name), sequence, heads, rows) ?? rows();
    }) as [Value, Value];
    return attend(module, config, [query, key, value], asking);
  });
}

/** The feed-forward network at the end of each layer, with its norm and residual. It may be gated. */
function feedForward(layer: Network, config: T5Config, hidden: Value): Value {
  const { d_model, d_ff, dropout_rate, is_gated_act: isGated } = config;
  const active = activation(config.dense_act_fn, 'feed_forward_proj');
  return sublayer(layer, config, ['DenseReluDense', 'feedForward'], hidden, (module, x) => {
    const names = isGated ? ['wi_0', 'wi_1'] : ['wi'];
    const [gate, ...others] = module.linearGroup(names, x, Array(names.length).fill(d_ff), NO_BIAS) as [
      Value,
      ...Value[],
    ];
    const inner = others.reduce(multiply, active(gate));
    return module.linear('wo', module.dropout(inner, dropout_rate), d_model, NO_BIAS);
  });
}

/**
 * A sublayer: applies a module to the norm of the hidden states, and adds the module's output to the hidden
 * states.
 */
function sublayer(
  layer: Network,
  { layer_norm_epsilon, dropout_rate }: T5Config,
  [name, kind]: [string, Sublayer['kind']],
  hidden: Value,
  compute: (module: Network, x: Value) => Value,
): Value {
  const module = layer.at(name);
  const normed = rmsNormModule(layer.at('layer_norm'), hidden, layer_norm_epsilon);
  const output = layer.dropout(compute(module, normed), dropout_rate);
  return add(hidden, module.sublayer(kind, output, { residual: hidden }));
}

function attend(
  module: Network,
  { d_model, d_kv: headSize, num_heads: heads, dropout_rate: dropout }: T5Config,
  queryKeyValue: readonly [Value, Value, Value],
  { batch, queries, bias }: Asking,
): Value {
  const options = { batch, queries, heads, headSize, dropout, scale: 1 };
  return module.linear('o', attention(module, queryKeyValue, bias, options), d_model, NO_BIAS);
}

/**
 * The bias of the scores in every layer. It depends on the head and on the bucket of the distance, by the
 * module's table `relative_attention_bias`. The queries are the last keys.
 *
 * @param sides 2 if keys after a query are visible
 * @param rows the rows of the table, which may have more than buckets
 * @returns [1, heads, queries, keys]
 */
export function relativeBias(
  module: Network,
  config: BucketSettings & { num_heads: number },
  sides: 1 | 2,
  queries: Dimension,
  keys: Dimension,
  rows = config.relative_attention_num_buckets,
): Value {
  const { graph } = module;
  const { num_heads, relative_attention_max_distance: most } = config;
  const buckets = constant(graph, distanceBuckets(config, sides), undefined, 'int32');
  const table = module.at('relative_attention_bias');
  const byDistance = embedding(table, [rows, num_heads], buckets);

  const positions = cast(iota(graph, keys), 'float32');
  const first = addDimensions(keys, multiplyDimensions(queries, -1));
  const asking = reshape(slice(positions, 0, first, keys), [queries, 1]);
  const asked = reshape(positions, [1, keys]);
  // Counted from the table's first row, and clamped to its last row.
  const from = sides === 2 ? add(subtract(asked, asking), most) : subtract(asking, asked);
  const entries = relu(from);
  const clipped = where(greater(entries, sides * most), sides * most, entries);
  const biases = gather(byDistance, cast(clipped, 'int32'));
  return reshape(transpose(biases, [2, 0, 1]), [1, num_heads, queries, keys]);
}

/** The fields of T5's config.json that define buckets of distances. */
interface BucketSettings {
  relative_attention_num_buckets: number;
  relative_attention_max_distance: number;
}

/**
 * The bucket of each distance between key and query. In each direction, the first half of the buckets has one
 * distance each; the others become wider and wider. In an encoder, the second half of all buckets is for keys
 * after the query.
 *
 * @param sides 2 for an encoder; 1 for a decoder, which sees no keys after a query
 * @returns buckets by distance; with 2 sides, the list begins with the largest distance before the query
 */
export function distanceBuckets(settings: BucketSettings, sides: 1 | 2): number[] {
  const { relative_attention_num_buckets, relative_attention_max_distance: greatest } = settings;
  const buckets = Math.floor(relative_attention_num_buckets / sides);
  const before = Array.from({ length: greatest + 1 }, (_, distance) => bucket(distance, buckets, greatest));
  if (sides === 1) return before;
  const behind = before.slice(1).map((one) => buckets + one);
  return [...before.reverse(), ...behind];
}

/** Computed in 32 bits as in transformers. If the logarithm is a whole number, the rounding decides. */
function bucket(distance: number, buckets: number, greatest: number): number {
  const { fround, floor, log, min } = Math;
  const exact = floor(buckets / 2);
  if (distance < exact) return distance;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(greatest / exact)));
  return min(exact + floor(fround(share * (buckets - exact))), buckets - 1);
}

/** The path of the word embeddings. Encoder and decoder share them, and a tied language model head does too. */
export const WORD_EMBEDDING = 'shared';

/**
 * Encoder and decoder. Returns the decoder's hidden states, [target · batch, d_model]. The encoder is built
 * only if the decoder requests its states, because a cache may already contain its keys and values.
 */
export function t5Model(network: Network, config: T5Config, inputs: ModelInputs): Value {
  const padding = attentionBias(inputs.attentionMask);
  const build = () => encoder(network, config, inputs, padding);
  const states = lazy(() => inputs.cache?.states?.(build) ?? build());
  return decoder(network, config, inputs, { states, sequence: inputs.sequence, bias: padding });
}

function encoder(network: Network, config: T5Config, inputs: ModelInputs, padding: Value): Value {
  const { inputIds, sequence, batch } = inputs;
  const stack = network.at('encoder');
  const relative = relativeBias(firstAttention(stack), config, 2, sequence, sequence);
  const asking = { batch, queries: sequence, bias: add(relative, padding) };
  let hidden = words(network, config, inputIds);
  for (let i = 0; i < config.num_layers; i++) {
    network.layerInput(hidden);
    const layer = stack.at(`block.${i}.layer`);
    hidden = selfAttention(layer.at('0'), config, hidden, asking);
    hidden = feedForward(layer.at('1'), config, hidden);
  }
  // The decoder's layers read these states.
  return network.layerInput(finishStack(stack, config, hidden));
}

/** @param encoded the encoder's output, with the bias that masks its padding */
function decoder(
  network: Network,
  config: T5Config,
  { decoderInputIds, batch, target, cache }: ModelInputs,
  encoded: Encoded & { bias: Value },
): Value {
  const stack = network.at('decoder');
  const keys = addDimensions(cache?.past ?? 0, target);
  const relative = relativeBias(firstAttention(stack), config, 1, target, keys);
  const causal = add(relative, causalBias(decoderInputIds, target, keys));
  const asking = { batch, queries: target, cache };
  let hidden = words(network, config, decoderInputIds);
  for (let i = 0; i < (config.num_decoder_layers ?? config.num_layers); i++) {
    network.layerInput(hidden);
    const layer = stack.at(`block.${i}.layer`);
    hidden = selfAttention(layer.at('0'), config, hidden, { ...asking, bias: causal });
    hidden = crossAttention(layer.at('1'), config, hidden, { ...asking, ...encoded });
    hidden = feedForward(layer.at('2'), config, hidden);
  }
  return finishStack(stack, config, hidden);
}

/** The module that contains the table of relative positions for all layers. */
function firstAttention(stack: Network): Network {
  return stack.at('block.0.layer.0.SelfAttention');
}

function words(network: Network, { vocab_size, d_model, dropout_rate }: T5Config, ids: Value): Value {
  return network.dropout(wordEmbedding(network.at(WORD_EMBEDDING), [vocab_size, d_model], ids), dropout_rate);
}

function finishStack(stack: Network, { layer_norm_epsilon, dropout_rate }: T5Config, hidden: Value): Value {
  return stack.dropout(rmsNormModule(stack.at('final_layer_norm'), hidden, layer_norm_epsilon), dropout_rate);
}
