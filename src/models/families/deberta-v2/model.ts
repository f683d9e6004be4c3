import {
  add,
  cast,
  concat,
  constant,
  greater,
  matmul,
  multiply,
  pad,
  reshape,
  slice,
  transpose,
} from '../../../engine/graph/build.ts';
import {
  addDimensions,
  type Dimension,
  dimensionSize,
  multiplyDimensions,
} from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { absolutePositions, embedding, wordEmbedding } from '../../nn/embedding.ts';
import { type EncoderStates, encoderLayers } from '../../nn/encoder-layers.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network, Sublayer } from '../../nn/network.ts';
import { addAndNorm } from '../../nn/post-norm-encoder.ts';
import type { DebertaV2Config } from './config.ts';
import {
  type AttentionContext,
  disentangledAttention,
  type RelativeEmbeddings,
} from './disentangled-attention.ts';

interface ConvInputs {
  /** The first layer's input, [sequence · batch, hidden]. */
  embedded: Value;
  /** The first layer's output, of the same shape. */
  output: Value;
  /** [sequence · batch, 1]: 0 for padding, 1 for tokens. */
  realRows: Value;
  batch: Dimension;
}

/**
 * The module `conv` after DeBERTa v2's first layer. It applies a convolution along the sequence to the
 * layer's input, an activation, a residual and a layer norm. The result is zero at padding.
 */
function convLayer(module: Network, config: DebertaV2Config, inputs: ConvInputs): Value {
  const { embedded, output, realRows, batch } = inputs;
  const convolved = multiply(convolution(module.at('conv'), config, embedded, batch), realRows);
  const dropped = module.dropout(convolved, config.hidden_dropout_prob);
  const sum = add(output, activation(config.conv_act, 'conv_act')(dropped));
  return multiply(layerNormModule(module.at('LayerNorm'), sum, config.layer_norm_eps), realRows);
}

/**
 * A convolution as a sum of products, one per kernel position. Because rows are sequence-major, shifting by
 * one token means shifting by a whole batch.
 */
function convolution(
  module: Network,
  { hidden_size: width, conv_kernel_size: taps, conv_groups: groups }: DebertaV2Config,
  rows: Value,
  batch: Dimension,
): Value {
  const part = width / groups;
  const weights = module.parameter('weight', [width, part, taps]);
  const margin = multiplyDimensions((taps - 1) / 2, batch);
  const padded = pad(rows, 0, margin, margin);
  const outputs = Array.from({ length: groups }, (_, group) => {
    const [start, end] = [group * part, (group + 1) * part];
    const products = Array.from({ length: taps }, (_, tap) => {
      const offset = multiplyDimensions(tap, batch);
      const shifted = slice(padded, 0, offset, addDimensions(offset, rows.shape[0]!));
      const kernel = reshape(slice(slice(weights, 0, start, end), 2, tap, tap + 1), [part, part]);
      return matmul(slice(shifted, 1, start, end), kernel, { transposeB: true });
    });
    return products.reduce((a, b) => add(a, b));
  });
  return add(concat(outputs, 1), module.parameter('bias', [width]));
}

/*
 * Disentangled attention uses the distance δ = q - k between query and key. Distances are grouped into
 * buckets. The first half of the buckets has one distance each; the others become wider and wider. Each
 * bucket has a row in the table of relative embeddings.
 */

interface RelativePositionSettings {
  /** Number of buckets in each direction. Below 1, there are no buckets, and each distance has its own row. */
  position_buckets: number;
  max_relative_positions: number;
}

/**
 * Number of rows in the table of relative embeddings. One half is for queries after the key, the other for
 * queries before it.
 */
export function relativeRows(settings: RelativePositionSettings): number {
  return 2 * span(settings);
}

/** The table's rows for `count` distances that start at `first`, in steps of 1 or -1. */
export function rowsOfDistances(
  settings: RelativePositionSettings,
  first: number,
  count: number,
  step: 1 | -1,
): number[] {
  const last = relativeRows(settings) - 1;
  const middle = span(settings);
  return Array.from({ length: count }, (_, i) => {
    const row = middle + bucket(settings, first + step * i);
    // With a divisor of log 1 = 0, the formula gives infinity. transformers converts it to an integer, which
    // becomes the lowest row.
    return Number.isFinite(row) ? Math.min(Math.max(row, 0), last) : 0;
  });
}

function span({ position_buckets, max_relative_positions }: RelativePositionSettings): number {
  return position_buckets > 0 ? position_buckets : max_relative_positions;
}

/** Computed in 32 bits as in transformers. If the logarithm is a whole number, the rounding decides. */
function bucket({ position_buckets, max_relative_positions }: RelativePositionSettings, distance: number) {
  const middle = Math.floor(position_buckets / 2);
  const far = Math.abs(distance);
  if (position_buckets < 1 || far <= middle) return distance;
  const { fround } = Math;
  const log = (x: number) => fround(Math.log(fround(x)));
  const share = fround(log(far / middle) / log((max_relative_positions - 1) / middle));
  return Math.sign(distance) * (Math.ceil(fround(share * (middle - 1))) + middle);
}

/** DeBERTa without a head. Returns the last layer's hidden states, see {@link encoderLayers}. */
export function debertaV2Model(
  network: Network,
  config: DebertaV2Config,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const { batch, sequence } = inputs;
  const encoder = network.at('deberta.encoder');
  const mask = cast(inputs.attentionMask, 'float32');
  const realRows = reshape(transpose(mask, [1, 0]), [dimensionSize(mask.shape), 1]);
  // A padding token sees no token, not even itself, so all its scores are equal.
  const pairs = multiply(reshape(mask, [batch, 1, sequence, 1]), reshape(mask, [batch, 1, 1, sequence]));
  const visible = greater(pairs, 0);
  const relative = relativeEmbeddings(encoder, config, inputs);

  const embedded = debertaV2Embeddings(network.at('deberta.embeddings'), config, inputs, realRows);
  const hasConv = (i: number) => i === 0 && config.conv_kernel_size > 0;
  const layers = config.num_hidden_layers;
  // The convolution reads all rows of its layer.
  const everyRow = inputs.everyRow || hasConv(layers - 1);
  return encoderLayers(network, layers, embedded, { rows, batch, everyRow }, (i, hidden, asked) => {
    const output = layer(encoder.at(`layer.${i}`), config, hidden, asked, { visible, relative, batch });
    return hasConv(i) ? convLayer(encoder.at('conv'), config, { embedded, output, realRows, batch }) : output;
  });
}

/**
 * One layer: attention, a residual and a layer norm; then the feed-forward network, a residual and a layer
 * norm.
 *
 * @param asked the hidden states for which the layer is computed: all, or those of the first tokens
 */
function layer(
  network: Network,
  config: DebertaV2Config,
  hidden: Value,
  asked: Value,
  context: AttentionContext,
): Value {
  const { hidden_size, intermediate_size, hidden_dropout_prob, layer_norm_eps, hidden_act } = config;
  const output = (module: Network, kind: Sublayer['kind'], x: Value, residual: Value) => {
    const projected = module.dropout(module.linear('dense', x, hidden_size), hidden_dropout_prob);
    const norm = (sum: Value) => layerNormModule(module.at('LayerNorm'), sum, layer_norm_eps);
    return addAndNorm(module, kind, projected, { residual, norm });
  };
  const mixed = disentangledAttention(network.at('attention.self'), config, hidden, asked, context);
  const attended = output(network.at('attention.output'), 'attention', mixed, asked);
  const inner = network.linear('intermediate.dense', attended, intermediate_size);
  return output(network.at('output'), 'feedForward', activation(hidden_act)(inner), attended);
}

/** The relative positions that all layers share. Undefined if the config turns them off. */
function relativeEmbeddings(
  encoder: Network,
  config: DebertaV2Config,
  { sequence }: ModelInputs,
): RelativeEmbeddings | undefined {
  const isUsed = config.pos_att_type.some((kind) => kind === 'c2p' || kind === 'p2c');
  if (!config.relative_attention || !isUsed) return undefined;
  const { hidden_size, longest, layer_norm_eps } = config;
  const raw = encoder.parameter('rel_embeddings.weight', [relativeRows(config), hidden_size]);
  const table = config.norm_rel_ebd.includes('layer_norm')
    ? layerNormModule(encoder.at('LayerNorm'), raw, layer_norm_eps)
    : raw;
  // A shorter sequence uses the middle of the longest sequence's distances.
  const start = addDimensions(longest, multiplyDimensions(sequence, -1));
  const distances = (first: number, step: 1 | -1) => {
    const rows = rowsOfDistances(config, first, 2 * longest, step);
    const all = constant(encoder.graph, rows, [rows.length], 'int32');
    return slice(all, 0, start, addDimensions(longest, sequence));
  };
  return { table, falling: distances(longest - 1, -1), rising: distances(1 - longest, 1) };
}

/**
 * The module `embeddings`: word embeddings, plus absolute positions and token types if the config has them.
 * They are projected to the hidden width, normalized, and set to zero at padding: [sequence · batch, hidden].
 *
 * @param realRows [sequence · batch, 1]: 0 for padding, 1 for tokens
 */
function debertaV2Embeddings(
  module: Network,
  config: DebertaV2Config,
  inputs: ModelInputs,
  realRows: Value,
): Value {
  const { embedding_size: width, hidden_size, type_vocab_size: types } = config;
  let sum = wordEmbedding(module.at('word_embeddings'), [config.vocab_size, width], inputs.inputIds, {
    padding: config.pad_token_id,
  });
  if (config.position_biased_input) {
    const table = [config.max_position_embeddings, width] as const;
    sum = add(sum, absolutePositions(module.at('position_embeddings'), table, inputs));
  }
  if (types > 0) {
    sum = add(sum, embedding(module.at('token_type_embeddings'), [types, width], inputs.tokenTypeIds));
  }
  const projected =
    width === hidden_size ? sum : module.linear('embed_proj', sum, hidden_size, { bias: false });
  const normalized = layerNormModule(module.at('LayerNorm'), projected, config.layer_norm_eps);
  return module.dropout(multiply(normalized, realRows), config.hidden_dropout_prob);
}
