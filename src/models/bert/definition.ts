import { slice, tanh } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { attentionBias } from '../../nn/attention-bias.ts';
import type { Network } from '../../nn/network.ts';
import { spanLogits } from '../../nn/span-logits.ts';
import type { ModelDefinition, ModelInputs } from '../model-definition.ts';
import { type BertConfig, parseBertConfig } from './config.ts';
import { bertEmbeddings } from './embeddings.ts';
import { bertLayer } from './layer.ts';

/** BERT (Devlin et al., 2019) as transformers computes it. */
export const bert: ModelDefinition<BertConfig> = {
  modelType: 'bert',
  baseModelPrefix: 'bert',
  targetModules: {
    lora: ['query', 'value'],
    adalora: ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'],
  },
  parseConfig: parseBertConfig,

  heads: {
    SEQ_CLS: {
      architecture: 'BertForSequenceClassification',
      modules: ['classifier'],
      build(network, config, inputs) {
        const hidden = bertModel(network, config, 'bert', inputs);
        const pooled = bertPooler(network, config, 'bert.pooler', hidden, inputs);
        const dropped = network.dropout(pooled, config.classifier_dropout ?? config.hidden_dropout_prob);
        return network.linear('classifier', dropped, config.numLabels);
      },
    },
    QUESTION_ANS: {
      architecture: 'BertForQuestionAnswering',
      modules: ['qa_outputs'],
      build(network, config, inputs) {
        const hidden = bertModel(network, config, 'bert', inputs);
        return spanLogits(network.linear('qa_outputs', hidden, 2), inputs);
      },
    },
  },
};

/** The encoder: hidden states of the last layer, [sequence · batch, hidden]. */
export function bertModel(network: Network, config: BertConfig, path: string, inputs: ModelInputs): Value {
  const bias = attentionBias(inputs.attentionMask);
  let hidden = bertEmbeddings(network, config, `${path}.embeddings`, inputs);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    hidden = bertLayer(network, config, `${path}.encoder.layer.${i}`, hidden, bias, inputs.batch);
  }
  return hidden;
}

/** Dense layer and tanh over the first token: [batch, hidden]. */
function bertPooler(
  network: Network,
  config: BertConfig,
  path: string,
  hidden: Value,
  { batch }: ModelInputs,
): Value {
  // Sequence-major rows: the first tokens of all examples come first.
  const firstTokens = slice(hidden, 0, 0, batch);
  return tanh(network.linear(`${path}.dense`, firstTokens, config.hidden_size));
}
