import { multiply } from '../../../engine/graph/build.ts';
import { wordLogits } from '../../heads/masked-lm-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { selectRows } from '../../nn/last-rows.ts';
import { parseT5Config, type T5Config, t5Model, WORD_EMBEDDING } from './model.ts';

/** T5 (Raffel et al., 2020), T5 v1.1 and Flan-T5 as transformers computes them. */
export const t5: ModelDefinition<T5Config> = {
  modelType: 't5',
  baseModelPrefix: '',
  roles: {
    query: 'q',
    key: 'k',
    value: 'v',
    output: 'o',
    // A model has either `wi`, or `wi_0` and `wi_1`.
    up: ['wi', 'wi_0', 'wi_1'],
    down: 'wo',
  },
  tiedNames: {
    [`${WORD_EMBEDDING}.weight`]: [
      'encoder.embed_tokens.weight',
      'decoder.embed_tokens.weight',
      'lm_head.weight',
    ],
  },
  alwaysTies: true,
  parseConfig: parseT5Config,

  heads: {
    SEQ_2_SEQ_LM: {
      architecture: 'T5ForConditionalGeneration',
      modules: [],
      mayLack: ['lm_head'],
      build(network, config, inputs) {
        const rows = selectRows(t5Model(network, config, inputs), inputs.logitRows);
        const scaled = config.scale_decoder_outputs ? multiply(rows, 1 / Math.sqrt(config.d_model)) : rows;
        return wordLogits(network, config, WORD_EMBEDDING, scaled);
      },
    },
  },
};
