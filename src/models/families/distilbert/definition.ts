import { z } from 'zod';
import { add, relu } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
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
import { absolutePositions, wordEmbedding } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';
import { encoderFamily } from '../bert/encoder-family.ts';

const OWN_NAMES = { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' };

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(30522),
    dim: size.default(768),
    n_layers: layers.default(6),
    n_heads: size.default(12),
    hidden_dim: size.default(3072),
    activation: z.string().default('gelu'),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0.1),
    qa_dropout: probability.default(0.1),
    seq_classif_dropout: probability.default(0.2),
    max_position_embeddings: size.default(512),
    pad_token_id: z.int().nullable().default(0),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(({ dim, n_heads }) => dim % n_heads === 0, { path: ['n_heads'], message: 'must divide dim' });

type DistilBertConfig = z.infer<typeof schema> & CommonConfig;

/**
 * Parses a config.json of `model_type` distilbert. Fields keep Hugging Face's names. `sinusoidal_pos_embds`
 * is ignored, because it only affects the initial values of the position table.
 */
function parseDistilBertConfig(json: unknown, where: string): DistilBertConfig {
  const fields = parseFields(schema, byOwnNames(json, OWN_NAMES), where);
  return {
    ...fields,
    ...readLabels(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: fields.max_position_embeddings,
    initializerRange: fields.initializer_range,
    padTokenId: fields.pad_token_id ?? undefined,
  };
}

/** Epsilon of every layer norm. The config.json has no field for it. */
const EPSILON = 1e-12;

const MODULES = {
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  attended: 'attention.out_lin',
  attention: 'attention',
  attentionNorm: 'sa_layer_norm',
  inner: 'ffn.lin1',
  outer: 'ffn.lin2',
  feedForward: 'ffn',
  feedForwardNorm: 'output_layer_norm',
};

/** DistilBERT without a head. Returns the last layer's hidden states, [sequence · batch, dim]. */
function distilBertModel(
  network: Network,
  config: DistilBertConfig,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const settings = {
    modules: MODULES,
    layers: config.n_layers,
    heads: config.n_heads,
    innerWidth: config.hidden_dim,
    activation: activation(config.activation, 'activation'),
    epsilon: EPSILON,
    dropout: { weights: config.attention_dropout, attended: 0, outer: config.dropout },
  };
  const embedded = embeddings(network.at('distilbert.embeddings'), config, inputs);
  return postNormEncoder(network.at('distilbert.transformer.layer'), settings, embedded, inputs, rows);
}

/** Word and position embeddings, summed and normalized. */
function embeddings(module: Network, config: DistilBertConfig, inputs: ModelInputs): Value {
  const { vocab_size, max_position_embeddings, dim, pad_token_id } = config;
  const table = module.at('word_embeddings');
  const words = wordEmbedding(table, [vocab_size, dim], inputs.inputIds, { padding: pad_token_id });
  const rows = [max_position_embeddings, dim] as const;
  const sum = add(words, absolutePositions(module.at('position_embeddings'), rows, inputs));
  return module.dropout(layerNormModule(module.at('LayerNorm'), sum, EPSILON), config.dropout);
}

const MASKED_LM = {
  head: ['vocab_transform', 'vocab_layer_norm', 'vocab_projector'],
  dense: 'vocab_transform',
  norm: 'vocab_layer_norm',
  decoder: 'vocab_projector',
  embeddings: 'distilbert.embeddings.word_embeddings',
};

/** DistilBERT (Sanh et al., 2019) as transformers computes it. */
export const distilBert = encoderFamily({
  modelType: 'distilbert',
  name: 'DistilBert',
  prefix: 'distilbert',
  roles: {
    query: 'q_lin',
    key: 'k_lin',
    value: 'v_lin',
    output: 'out_lin',
    up: 'lin1',
    down: 'lin2',
  },
  parseConfig: parseDistilBertConfig,
  model: distilBertModel,
  width: ({ dim }) => dim,
  classifier: (architecture) => ({
    architecture,
    modules: ['pre_classifier', 'classifier'],
    build(network, config, inputs) {
      const first = distilBertModel(network, config, inputs, 'first');
      const pooled = relu(network.linear('pre_classifier', first, config.dim));
      const dropped = network.dropout(pooled, config.seq_classif_dropout);
      return network.linear('classifier', dropped, config.numLabels);
    },
  }),
  dropout: ({ dropout }) => dropout,
  spanDropout: ({ qa_dropout }) => qa_dropout,
  words: MASKED_LM,
  wordSettings: (config) => ({
    width: config.dim,
    activation: activation(config.activation, 'activation'),
    epsilon: EPSILON,
  }),
});
