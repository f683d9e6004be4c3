import { tanh } from '../../../engine/graph/build.ts';
import { activation } from '../../nn/activation.ts';
import { encoderFamily } from './encoder-family.ts';
import { type BertConfig, bertModel, classifierDropout, parseBertConfig } from './model.ts';

const MASKED_LM = {
  head: ['cls.predictions'],
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
  decoder: 'cls.predictions.decoder',
  bias: 'cls.predictions.bias',
  embeddings: 'bert.embeddings.word_embeddings',
};

/** BERT (Devlin et al., 2019) as transformers computes it. */
export const bert = encoderFamily<BertConfig>({
  modelType: 'bert',
  name: 'Bert',
  prefix: 'bert',
  roles: {
    query: 'query',
    key: 'key',
    value: 'value',
    output: 'attention.output.dense',
    up: 'intermediate.dense',
    down: 'output.dense',
  },
  parseConfig: parseBertConfig,
  model: bertModel,
  width: (config) => config.hidden_size,
  classifier: (architecture) => ({
    architecture,
    modules: ['classifier'],
    mayLack: ['bert.pooler'],
    build(network, config, inputs) {
      const first = bertModel(network, config, inputs, 'first');
      const pooled = tanh(network.linear('bert.pooler.dense', first, config.hidden_size));
      const dropped = network.dropout(pooled, classifierDropout(config));
      return network.linear('classifier', dropped, config.numLabels);
    },
  }),
  dropout: classifierDropout,
  words: MASKED_LM,
  wordSettings: (config) => ({
    width: config.hidden_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
  }),
});
