import { z } from 'zod';
import { add } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import {
  encoderFields,
  headsDivideWidth,
  layers,
  parseFields,
  probability,
  readLabels,
  size,
} from '../../config-fields.ts';
import type { CommonConfig, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { absolutePositions, embedding, wordEmbedding } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';

/** Fields of BERT and related families, with BERT's defaults. */
export const bertFields = {
  ...encoderFields,
  vocab_size: size.default(30522),
  hidden_size: size.default(768),
  num_hidden_layers: layers.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: z.string().default('gelu'),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0.1),
  classifier_dropout: probability.nullish(),
  max_position_embeddings: size.default(512),
  type_vocab_size: size.default(2),
  pad_token_id: z.int().nullable().default(0),
  layer_norm_eps: z.number().positive().default(1e-12),
  tie_word_embeddings: z.boolean().default(true),
  is_decoder: z.literal(false, 'only its encoder is supported').default(false),
  add_cross_attention: z.literal(false, 'only its encoder is supported').default(false),
};

type BertFields = z.infer<z.ZodObject<typeof bertFields>>;
export type BertConfig = BertFields & CommonConfig;

const schema = z.object(bertFields).refine(...headsDivideWidth);

/** Parses a config.json of `model_type` bert. Fields keep Hugging Face's names. */
export function parseBertConfig(json: unknown, where: string): BertConfig {
  return withCommon(parseFields(schema, json, where));
}

/** Adds the fields that all models share to a config of BERT or a related family. */
export function withCommon<Fields extends BertFields>(fields: Fields): Fields & CommonConfig {
  return {
    ...fields,
    ...readLabels(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: fields.type_vocab_size,
    maxLength: fields.max_position_embeddings,
    initializerRange: fields.initializer_range,
    padTokenId: fields.pad_token_id ?? undefined,
  };
}

/** The dropout probability before a classifier. */
export function classifierDropout(config: BertFields): number {
  return config.classifier_dropout ?? config.hidden_dropout_prob;
}

type EmbeddingConfig = Pick<
  BertConfig,
  'vocab_size' | 'type_vocab_size' | 'pad_token_id' | 'layer_norm_eps' | 'hidden_dropout_prob'
>;

/**
 * The module `embeddings` of BERT and related families: the sum of word, token type and position embeddings,
 * normalized. Returns [sequence · batch, width].
 */
export function bertEmbeddings(
  module: Network,
  config: EmbeddingConfig,
  { inputIds, tokenTypeIds }: ModelInputs,
  positions: Value,
): Value {
  const width = positions.shape[1] as number;
  const words = wordEmbedding(module.at('word_embeddings'), [config.vocab_size, width], inputIds, {
    padding: config.pad_token_id,
  });
  const types = embedding(module.at('token_type_embeddings'), [config.type_vocab_size, width], tokenTypeIds);
  const sum = add(add(words, types), positions);
  const normalized = layerNormModule(module.at('LayerNorm'), sum, config.layer_norm_eps);
  return module.dropout(normalized, config.hidden_dropout_prob);
}

const MODULES = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  attended: 'attention.output.dense',
  attention: 'attention.output',
  attentionNorm: 'attention.output.LayerNorm',
  inner: 'intermediate.dense',
  outer: 'output.dense',
  feedForward: 'output',
  feedForwardNorm: 'output.LayerNorm',
};

type EncoderConfig = Pick<
  BertConfig,
  | 'num_hidden_layers'
  | 'num_attention_heads'
  | 'intermediate_size'
  | 'hidden_act'
  | 'layer_norm_eps'
  | 'hidden_dropout_prob'
  | 'attention_probs_dropout_prob'
>;

/**
 * The module `encoder` of BERT and related families, see {@link postNormEncoder}. Returns the last layer's
 * hidden states.
 */
export function bertEncoder(
  module: Network,
  config: EncoderConfig,
  embedded: Value,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const { attention_probs_dropout_prob: weights, hidden_dropout_prob: hidden } = config;
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    innerWidth: config.intermediate_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
    dropout: { weights, attended: hidden, outer: hidden },
  };
  return postNormEncoder(module.at('layer'), settings, embedded, inputs, rows);
}

/** BERT without a head. Returns the last layer's hidden states, [sequence · batch, hidden]. */
export function bertModel(
  network: Network,
  config: BertConfig,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const embeddings = network.at('bert.embeddings');
  const { max_position_embeddings: places, hidden_size: width } = config;
  const positions = absolutePositions(embeddings.at('position_embeddings'), [places, width], inputs);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  return bertEncoder(network.at('bert.encoder'), config, embedded, inputs, rows);
}
