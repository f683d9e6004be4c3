import { selectRows } from '../../nn/select-rows.ts';
import { featureHead } from '../heads/feature-extraction/feature-head.ts';
import { spanHead } from '../heads/question-answering/span-head.ts';
import { tokenHead } from '../heads/token-classification/token-head.ts';
import { wordLogits } from '../heads/word-logits.ts';
import { sequenceHead } from '../llama/heads.ts';
import type { ModelDefinition } from '../model-definition.ts';
import { type GptNeoxConfig, parseGptNeoxConfig } from './config.ts';
import { gptNeoxModel, WORDS } from './model.ts';

/** The output projection, if it is not tied to the embeddings. */
const PROJECTION = 'embed_out';

/** GPT-NeoX (Black et al., 2022) and Pythia as transformers computes them. */
export const gptNeox: ModelDefinition<GptNeoxConfig> = {
  modelType: 'gpt_neox',
  isDecoder: true,
  baseModelPrefix: 'gpt_neox',
  targetModules: {
    few: ['query_key_value'],
    many: ['query_key_value'],
    rescaled: ['query_key_value', 'dense_4h_to_h'],
    rescaledInputs: ['dense_4h_to_h'],
  },
  tiedNames: {
    [`${WORDS}.weight`]: [`${PROJECTION}.weight`],
    // transformers 5 uses this name in memory, but still saves the weight under the old name.
    [`${PROJECTION}.weight`]: ['lm_head.weight'],
  },
  parseConfig: parseGptNeoxConfig,

  heads: {
    CAUSAL_LM: {
      architecture: 'GPTNeoXForCausalLM',
      modules: [],
      mayLack: [PROJECTION],
      build(network, config, inputs) {
        const rows = selectRows(gptNeoxModel(network, config, inputs), inputs);
        return wordLogits(network, config, WORDS, rows, PROJECTION);
      },
    },
    SEQ_CLS: sequenceHead('GPTNeoXForSequenceClassification', gptNeoxModel),
    TOKEN_CLS: tokenHead(
      'GPTNeoXForTokenClassification',
      gptNeoxModel,
      (config) => config.classifier_dropout,
    ),
    QUESTION_ANS: spanHead('GPTNeoXForQuestionAnswering', gptNeoxModel),
    FEATURE_EXTRACTION: featureHead('GPTNeoXModel', 'gpt_neox', gptNeoxModel, (config) => config.hidden_size),
  },
};
