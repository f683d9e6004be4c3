import { add, concat, constant, expand, slice, tanh } from '../../../engine/graph/build.ts';
import { addDimensions } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import { spanHead } from '../../heads/linear-heads.ts';
import { wordLogits } from '../../heads/masked-lm-head.ts';
import type { ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { lastOfToken, selectRows } from '../../nn/last-rows.ts';
import type { Network } from '../../nn/network.ts';
import { type BartConfig, bartModel, parseBartConfig, SHARED } from './model.ts';

/** BART (Lewis et al., 2020) as transformers computes it. */
export const bart: ModelDefinition<BartConfig> = {
  modelType: 'bart',
  baseModelPrefix: 'model',
  roles: {
    query: 'q_proj',
    key: 'k_proj',
    value: 'v_proj',
    output: 'out_proj',
    up: 'fc1',
    down: 'fc2',
    rescaled: 'query',
  },
  tiedNames: {
    [`${SHARED}.weight`]: [
      'model.encoder.embed_tokens.weight',
      'model.decoder.embed_tokens.weight',
      'lm_head.weight',
    ],
  },
  parseConfig: parseBartConfig,

  heads: {
    SEQ_2_SEQ_LM: {
      architecture: 'BartForConditionalGeneration',
      modules: [],
      mayLack: ['lm_head'],
      build(network, config, inputs) {
        const rows = selectRows(bartModel(network, config, inputs), inputs.logitRows);
        const logits = wordLogits(network, config, SHARED, rows);
        return add(logits, network.buffer('final_logits_bias', [1, config.vocab_size]));
      },
    },
    SEQ_CLS: {
      architecture: 'BartForSequenceClassification',
      modules: ['classification_head'],
      build(network, config, inputs) {
        const hidden = readTwice(network, config, inputs);
        const sentence = lastOfToken(hidden, inputs.inputIds, endOfSequence(config));
        return classificationHead(network, config, 'classification_head', sentence);
      },
    },
    QUESTION_ANS: spanHead('BartForQuestionAnswering', readTwice),
  },
};

function classificationHead(network: Network, config: BartConfig, path: string, x: Value): Value {
  const dropped = (y: Value) => network.dropout(y, config.classifier_dropout);
  const dense = network.linear(`${path}.dense`, dropped(x), config.d_model);
  return network.linear(`${path}.out_proj`, dropped(tanh(dense)), config.numLabels);
}

/** The model for classification. Its decoder reads the same tokens as the encoder, shifted by one. */
function readTwice(network: Network, config: BartConfig, inputs: ModelInputs): Value {
  const { inputIds, sequence, batch } = inputs;
  const start = constant(inputIds.node.graph, [config.decoder_start_token_id], [1, 1], 'int32');
  const before = slice(inputIds, 0, 0, addDimensions(sequence, -1));
  const decoderInputIds = concat([expand(start, [1, batch]), before], 0);
  return bartModel(network, config, { ...inputs, decoderInputIds, target: sequence });
}

/** Id of the end token; its hidden state is classified. */
function endOfSequence({ eos_token_id: id }: BartConfig): number {
  if (typeof id === 'number') return id;
  throw new InvalidFile({
    where: 'config.json, eos_token_id',
    fault: `must be the id of the token that ends every text, got ${JSON.stringify(id)}`,
  });
}
