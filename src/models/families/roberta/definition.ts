import { z } from 'zod';
import {
  add,
  cast,
  constant,
  equal,
  greater,
  iota,
  matmul,
  multiply,
  reshape,
  tanh,
  where,
} from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { headsDivideWidth, parseFields, size } from '../../config-fields.ts';
import { denseClassifierHead } from '../../heads/linear-heads.ts';
import type { CommonConfig, ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { embedding } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import { bert } from '../bert/definition.ts';
import { encoderFamily } from '../bert/encoder-family.ts';
import { bertEmbeddings, bertEncoder, bertFields, classifierDropout, withCommon } from '../bert/model.ts';

const schema = z
  .object({ ...bertFields, vocab_size: size.default(50265), pad_token_id: z.int().min(0).default(1) })
  .refine(...headsDivideWidth)
  .refine(({ pad_token_id, max_position_embeddings }) => pad_token_id + 1 < max_position_embeddings, {
    path: ['pad_token_id'],
    message: 'leaves no position, because positions are counted from this id on',
  });

type RobertaConfig = z.infer<typeof schema> & CommonConfig;

/** Parses a config.json of `model_type` roberta. Fields keep Hugging Face's names. */
export function parseRobertaConfig(json: unknown, where: string): RobertaConfig {
  const fields = parseFields(schema, json, where);
  return { ...withCommon(fields), maxLength: fields.max_position_embeddings - fields.pad_token_id - 1 };
}

/**
 * RoBERTa without a head: BERT with other positions. Returns the last layer's hidden states, [sequence ·
 * batch, hidden].
 */
function robertaModel(
  network: Network,
  config: RobertaConfig,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const embeddings = network.at('roberta.embeddings');
  const { max_position_embeddings: places, hidden_size: width, pad_token_id: pad } = config;
  const ids = positionIds(inputs.inputIds, pad);
  const positions = embedding(embeddings.at('position_embeddings'), [places, width], ids, pad);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  return bertEncoder(network.at('roberta.encoder'), config, embedded, inputs, rows);
}

/**
 * Positions of ids [sequence, batch] as in fairseq and transformers (`create_position_ids_from_input_ids`).
 * Counted from 1, the n-th token that is not padding has position n + pad. Padding has position pad.
 */
export function positionIds(ids: Value, pad: number): Value {
  const [sequence] = ids.shape;
  const { graph } = ids.node;
  const real = where(equal(ids, constant(graph, [pad], [], 'int32')), 0, 1);
  const order = iota(graph, sequence!);
  const later = greater(reshape(order, [1, sequence!]), reshape(order, [sequence!, 1]));
  // A cumulative sum as a product with a triangle of ones. It is exact, and every backend has a kernel for
  // it.
  const count = matmul(where(later, 0, 1), real);
  return cast(add(multiply(count, real), pad), 'int32');
}

const MASKED_LM = {
  head: ['lm_head'],
  dense: 'lm_head.dense',
  norm: 'lm_head.layer_norm',
  decoder: 'lm_head.decoder',
  bias: 'lm_head.bias',
  embeddings: 'roberta.embeddings.word_embeddings',
};

/** RoBERTa (Liu et al., 2019) as transformers computes it. */
export const roberta = robertaFamily('roberta', 'Roberta', parseRobertaConfig);

/** Defines a family with RoBERTa's architecture under another name. */
export function robertaFamily(
  modelType: string,
  className: string,
  parseConfig: (json: unknown, where: string) => RobertaConfig,
): ModelDefinition<RobertaConfig> {
  return encoderFamily({
    modelType,
    name: className,
    prefix: 'roberta',
    roles: bert.roles,
    parseConfig,
    model: robertaModel,
    width: (config) => config.hidden_size,
    classifier: (architecture) => denseClassifierHead(architecture, robertaModel, classifierDropout, tanh),
    dropout: classifierDropout,
    words: MASKED_LM,
    wordSettings: (config) => ({
      width: config.hidden_size,
      activation: activation('gelu'),
      epsilon: config.layer_norm_eps,
    }),
  });
}

/** XLM-RoBERTa (Conneau et al., 2020): RoBERTa with a vocabulary of a hundred languages. */
export const xlmRoberta = robertaFamily('xlm-roberta', 'XLMRoberta', (json, where) =>
  parseRobertaConfig({ vocab_size: 30522, ...(json as object) }, where),
);
