import { z } from 'zod';
import { add, tanh } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { headsDivideWidth, parseFields, size } from '../../config-fields.ts';
import { denseClassifierHead } from '../../heads/linear-heads.ts';
import type { CommonConfig, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';
import { encoderFamily } from '../bert/encoder-family.ts';
import { bertFields, withCommon } from '../bert/model.ts';
import { positionIds } from '../roberta/definition.ts';
import { relativeBias } from '../t5/model.ts';

/** The id of padding for positions and embeddings. transformers uses this constant and ignores `pad_token_id`. */
const PADDING = 1;
/** T5's bucket settings. In transformers they are constants, and MPNet's field is only the number of rows in the table. */
const BUCKETS = { relative_attention_num_buckets: 32, relative_attention_max_distance: 128 };

const schema = z
  .object({
    ...bertFields,
    vocab_size: size.default(30527),
    pad_token_id: z.int().nullable().default(1),
    max_position_embeddings: size.min(PADDING + 2).default(512),
    relative_attention_num_buckets: z
      .int()
      .min(BUCKETS.relative_attention_num_buckets)
      .default(BUCKETS.relative_attention_num_buckets),
  })
  .refine(...headsDivideWidth);

type MpnetConfig = z.infer<typeof schema> & CommonConfig;

/** Parses a config.json of `model_type` mpnet. Fields keep Hugging Face's names. */
function parseMpnetConfig(json: unknown, where: string): MpnetConfig {
  const fields = parseFields(schema, json, where);
  return {
    ...withCommon(fields),
    typeVocabSize: 0,
    maxLength: fields.max_position_embeddings - PADDING - 1,
  };
}

const MODULES = {
  query: 'attention.attn.q',
  key: 'attention.attn.k',
  value: 'attention.attn.v',
  attended: 'attention.attn.o',
  attention: 'attention',
  attentionNorm: 'attention.LayerNorm',
  inner: 'intermediate.dense',
  outer: 'output.dense',
  feedForward: 'output',
  feedForwardNorm: 'output.LayerNorm',
};

/**
 * MPNet without a head: BERT's layers, RoBERTa's positions, and T5's relative positions from one table for
 * all layers. Returns the last layer's hidden states, [sequence · batch, hidden].
 */
function mpnetModel(network: Network, config: MpnetConfig, inputs: ModelInputs, rows?: EncoderStates): Value {
  const { num_attention_heads: heads, hidden_dropout_prob: hidden } = config;
  const { relative_attention_num_buckets: rowsOfTable } = config;
  const encoder = network.at('mpnet.encoder');
  const { sequence } = inputs;
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers,
    heads,
    innerWidth: config.intermediate_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
    dropout: { weights: config.attention_probs_dropout_prob, attended: hidden, outer: hidden },
    scoreBias: relativeBias(encoder, { ...BUCKETS, num_heads: heads }, 2, sequence, sequence, rowsOfTable),
  };
  const embedded = embeddings(network.at('mpnet.embeddings'), config, inputs);
  return postNormEncoder(encoder.at('layer'), settings, embedded, inputs, rows);
}

/** Word and position embeddings, summed and normalized. */
function embeddings(module: Network, config: MpnetConfig, { inputIds }: ModelInputs): Value {
  const { vocab_size, max_position_embeddings, hidden_size } = config;
  const table = module.at('word_embeddings');
  const words = wordEmbedding(table, [vocab_size, hidden_size], inputIds, { padding: PADDING });
  const places = [max_position_embeddings, hidden_size] as const;
  const ids = positionIds(inputIds, PADDING);
  const positions = embedding(module.at('position_embeddings'), places, ids, PADDING);
  const normalized = layerNormModule(module.at('LayerNorm'), add(words, positions), config.layer_norm_eps);
  return module.dropout(normalized, config.hidden_dropout_prob);
}

const MASKED_LM = {
  head: ['lm_head'],
  dense: 'lm_head.dense',
  norm: 'lm_head.layer_norm',
  decoder: 'lm_head.decoder',
  bias: 'lm_head.bias',
  embeddings: 'mpnet.embeddings.word_embeddings',
};

const dropout = (config: MpnetConfig) => config.hidden_dropout_prob;

/** MPNet (Song et al., 2020) as transformers computes it. */
export const mpnet = encoderFamily({
  modelType: 'mpnet',
  name: 'MPNet',
  prefix: 'mpnet',
  roles: {
    query: 'attn.q',
    key: 'attn.k',
    value: 'attn.v',
    output: 'attn.o',
    up: 'intermediate.dense',
    down: 'output.dense',
  },
  parseConfig: parseMpnetConfig,
  model: mpnetModel,
  width: ({ hidden_size }) => hidden_size,
  classifier: (architecture) => denseClassifierHead(architecture, mpnetModel, dropout, tanh),
  dropout,
  words: MASKED_LM,
  wordSettings: (config) => ({
    width: config.hidden_size,
    activation: activation('gelu'),
    epsilon: config.layer_norm_eps,
  }),
});
