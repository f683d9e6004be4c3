import { z } from 'zod';
import type { Value } from '../../../engine/graph/graph.ts';
import { headsDivideWidth, parseFields, size } from '../../config-fields.ts';
import { denseClassifierHead } from '../../heads/linear-heads.ts';
import type { CommonConfig, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { absolutePositions } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import { bert } from '../bert/definition.ts';
import { encoderFamily } from '../bert/encoder-family.ts';
import { bertEmbeddings, bertEncoder, bertFields, classifierDropout, withCommon } from '../bert/model.ts';

const schema = z
  .object({
    ...bertFields,
    embedding_size: size.default(128),
    hidden_size: size.default(256),
    num_attention_heads: size.default(4),
    intermediate_size: size.default(1024),
  })
  .refine(...headsDivideWidth);

type ElectraConfig = z.infer<typeof schema> & CommonConfig;

/** The modules of a generator's head. */
const MASKED_LM = {
  head: ['generator_predictions', 'generator_lm_head'],
  dense: 'generator_predictions.dense',
  norm: 'generator_predictions.LayerNorm',
  decoder: 'generator_lm_head',
  embeddings: 'electra.embeddings.word_embeddings',
};

/** ELECTRA (Clark et al., 2020), discriminators and generators, as transformers computes it. */
export const electra = encoderFamily({
  modelType: 'electra',
  name: 'Electra',
  prefix: 'electra',
  roles: bert.roles,
  parseConfig: parseElectraConfig,
  model: electraModel,
  width: ({ hidden_size }) => hidden_size,
  classifier: (architecture) =>
    denseClassifierHead(architecture, electraModel, classifierDropout, activation('gelu')),
  dropout: classifierDropout,
  words: MASKED_LM,
  wordSettings: (config) => ({
    width: config.embedding_size,
    activation: activation('gelu'),
    epsilon: config.layer_norm_eps,
  }),
});

/**
 * ELECTRA without a head. It equals BERT, but its embeddings may have another width, and are then projected
 * to the hidden width. Returns the last layer's hidden states, [sequence · batch, hidden].
 */
function electraModel(
  network: Network,
  config: ElectraConfig,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const embeddings = network.at('electra.embeddings');
  const { max_position_embeddings: places, embedding_size: width, hidden_size } = config;
  const positions = absolutePositions(embeddings.at('position_embeddings'), [places, width], inputs);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  const projected =
    width === hidden_size ? embedded : network.linear('electra.embeddings_project', embedded, hidden_size);
  return bertEncoder(network.at('electra.encoder'), config, projected, inputs, rows);
}

/** Parses a config.json of `model_type` electra. Fields keep Hugging Face's names. */
function parseElectraConfig(json: unknown, where: string): ElectraConfig {
  return withCommon(parseFields(schema, json, where));
}
