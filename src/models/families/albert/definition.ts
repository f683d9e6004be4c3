import { z } from 'zod';
import { tanh } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { headsDivideWidth, layers, parseFields, probability, size } from '../../config-fields.ts';
import type { CommonConfig, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { absolutePositions } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';
import { encoderFamily } from '../bert/encoder-family.ts';
import { bertEmbeddings, bertFields, withCommon } from '../bert/model.ts';

const schema = z
  .object({
    ...bertFields,
    vocab_size: size.default(30000),
    embedding_size: size.default(128),
    hidden_size: size.default(4096),
    num_attention_heads: size.default(64),
    intermediate_size: size.default(16384),
    /** The number of groups of layers that share weights, and the number of layers in a group. */
    num_hidden_groups: layers.default(1),
    inner_group_num: layers.default(1),
    hidden_act: z.string().default('gelu_new'),
    hidden_dropout_prob: probability.default(0),
    attention_probs_dropout_prob: probability.default(0),
    classifier_dropout_prob: probability.default(0.1),
  })
  .refine(...headsDivideWidth)
  .refine(({ num_hidden_groups, num_hidden_layers }) => num_hidden_groups <= num_hidden_layers, {
    path: ['num_hidden_groups'],
    message: 'must not exceed num_hidden_layers',
  });

type AlbertConfig = z.infer<typeof schema> & CommonConfig;

/** Parses a config.json of `model_type` albert. Fields keep Hugging Face's names. */
function parseAlbertConfig(json: unknown, where: string): AlbertConfig {
  return withCommon(parseFields(schema, json, where));
}

const MODULES = {
  query: 'attention.query',
  key: 'attention.key',
  value: 'attention.value',
  attended: 'attention.dense',
  attention: 'attention',
  attentionNorm: 'attention.LayerNorm',
  inner: 'ffn',
  outer: 'ffn_output',
  feedForward: 'ffn_output',
  feedForwardNorm: 'full_layer_layer_norm',
};

/**
 * ALBERT without a head. Unlike BERT, it has narrower embeddings and layers that share weights. Returns the
 * last layer's hidden states, [sequence · batch, hidden].
 */
function albertModel(
  network: Network,
  config: AlbertConfig,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const embeddings = network.at('albert.embeddings');
  const encoder = network.at('albert.encoder');
  const { max_position_embeddings: places, embedding_size: width, inner_group_num: inner } = config;
  const positions = absolutePositions(embeddings.at('position_embeddings'), [places, width], inputs);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  const hidden = encoder.linear('embedding_hidden_mapping_in', embedded, config.hidden_size);
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers * inner,
    path: (i: number) => findPath(config, i),
    heads: config.num_attention_heads,
    innerWidth: config.intermediate_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
    dropout: {
      weights: config.attention_probs_dropout_prob,
      attended: config.hidden_dropout_prob,
      outer: 0,
    },
  };
  return postNormEncoder(encoder.at('albert_layer_groups'), settings, hidden, inputs, rows);
}

/** The path of a layer's weights. Several layers may share them. */
function findPath(
  { num_hidden_layers, num_hidden_groups, inner_group_num }: AlbertConfig,
  layer: number,
): string {
  const repetition = Math.floor(layer / inner_group_num);
  const group = Math.floor(repetition / (num_hidden_layers / num_hidden_groups));
  return `${group}.albert_layers.${layer % inner_group_num}`;
}

const MASKED_LM = {
  head: ['predictions'],
  dense: 'predictions.dense',
  norm: 'predictions.LayerNorm',
  decoder: 'predictions.decoder',
  bias: 'predictions.bias',
  embeddings: 'albert.embeddings.word_embeddings',
};

const dropout = (config: AlbertConfig) => config.classifier_dropout_prob;

/** ALBERT (Lan et al., 2020) as transformers computes it. */
export const albert = encoderFamily({
  modelType: 'albert',
  name: 'Albert',
  prefix: 'albert',
  roles: {
    query: 'query',
    key: 'key',
    value: 'value',
    output: 'attention.dense',
    up: 'ffn',
    down: 'ffn_output',
  },
  parseConfig: parseAlbertConfig,
  model: albertModel,
  width: (config) => config.hidden_size,
  classifier: (architecture) => ({
    architecture,
    modules: ['classifier'],
    mayLack: ['albert.pooler'],
    build(network, config, inputs) {
      const first = albertModel(network, config, inputs, 'first');
      const pooled = tanh(network.linear('albert.pooler', first, config.hidden_size));
      return network.linear('classifier', network.dropout(pooled, dropout(config)), config.numLabels);
    },
  }),
  dropout,
  words: MASKED_LM,
  wordSettings: (config) => ({
    width: config.embedding_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
  }),
});
