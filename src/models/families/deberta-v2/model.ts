import {
  add,
  cast,
  constant,
  greater,
  multiply,
  reshape,
  slice,
  transpose,
} from '../../../engine/graph/build.ts';
import { addDimensions, multiplyDimensions, sizeOf } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { absolutePositions, embedding, wordEmbedding } from '../../nn/embedding.ts';
import { type EncodedRows, encoderLayers } from '../../nn/encoder-layers.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network, Sublayer } from '../../nn/network.ts';
import { addAndNorm } from '../../nn/post-norm-encoder.ts';
import type { DebertaV2Config } from './config.ts';
import { convLayer } from './conv-layer.ts';
import {
  type AttentionContext,
  disentangledAttention,
  type RelativeEmbeddings,
} from './disentangled-attention.ts';
import { relativeRows, rowsOfDistances } from './relative-positions.ts';

/** DeBERTa without a head. Returns the last layer's hidden states, see {@link encoderLayers}. */
export function debertaV2Model(
  network: Network,
  config: DebertaV2Config,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const { batch, sequence } = inputs;
  const encoder = network.at('deberta.encoder');
  const mask = cast(inputs.attentionMask, 'float32');
  const realRows = reshape(transpose(mask, [1, 0]), [sizeOf(mask.shape), 1]);
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
    const norm = (sum: Value) => layerNorm(module.at('LayerNorm'), sum, layer_norm_eps);
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
    ? layerNorm(encoder.at('LayerNorm'), raw, layer_norm_eps)
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
  const normalized = layerNorm(module.at('LayerNorm'), projected, config.layer_norm_eps);
  return module.dropout(multiply(normalized, realRows), config.hidden_dropout_prob);
}
