import { add } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { encodeLast } from '../../heads/encode-last.ts';
import { featureHead } from '../../heads/feature-extraction/feature-head.ts';
import { spanHead } from '../../heads/question-answering/span-head.ts';
import { tokenHead } from '../../heads/token-classification/token-head.ts';
import { wordLogits } from '../../heads/word-logits.ts';
import type { ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { decoderBias } from '../../nn/attention-bias.ts';
import { decoderLayers } from '../../nn/decoder-layers.ts';
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { selectRows } from '../../nn/select-rows.ts';
import { type Gpt2Config, parseGpt2Config } from './config.ts';
import { gpt2Layer } from './layer.ts';

const WORDS = 'transformer.wte';

/** Default dropout before the token classifier: a constant of transformers. */
const CLASSIFIER_DROPOUT = 0.1;

/** GPT-2 (Radford et al., 2019) as transformers computes it. */
export const gpt2: ModelDefinition<Gpt2Config> = {
  modelType: 'gpt2',
  isDecoder: true,
  baseModelPrefix: 'transformer',
  roles: {
    queryKeyValue: 'c_attn',
    output: 'attn.c_proj',
    up: 'mlp.c_fc',
    down: 'mlp.c_proj',
  },
  tiedNames: { [`${WORDS}.weight`]: ['lm_head.weight'] },
  parseConfig: parseGpt2Config,

  heads: {
    CAUSAL_LM: {
      architecture: 'GPT2LMHeadModel',
      modules: [],
      mayLack: ['lm_head'],
      build(network, config, inputs) {
        const rows = selectRows(gpt2Model(network, config, inputs), inputs.logitRows);
        return wordLogits(network, config, WORDS, rows);
      },
    },
    SEQ_CLS: {
      architecture: 'GPT2ForSequenceClassification',
      modules: ['score'],
      build(network, config, inputs) {
        const last = encodeLast(gpt2Model, network, config, inputs, config.padTokenId);
        return network.linear('score', last, config.numLabels, { bias: false });
      },
    },
    TOKEN_CLS: tokenHead(
      'GPT2ForTokenClassification',
      gpt2Model,
      ({ classifier_dropout, hidden_dropout }) => classifier_dropout ?? hidden_dropout ?? CLASSIFIER_DROPOUT,
    ),
    QUESTION_ANS: spanHead('GPT2ForQuestionAnswering', gpt2Model),
    FEATURE_EXTRACTION: featureHead('GPT2Model', 'transformer', gpt2Model, ({ n_embd }) => n_embd, 'decoder'),
  },
};

/** GPT-2 without a head. Returns the last layer's normalized hidden states, [sequence · batch, n_embd]. */
function gpt2Model(network: Network, config: Gpt2Config, inputs: ModelInputs): Value {
  const { vocab_size, n_positions, n_embd: width } = config;
  const { inputIds, positionIds, attentionMask, sequence, virtual } = inputs;
  const words = wordEmbedding(network.at(WORDS), [vocab_size, width], inputIds, { virtual });
  const positions = embedding(network.at('transformer.wpe'), [n_positions, width], positionIds);
  const bias = decoderBias(attentionMask, sequence, { shared: virtual?.count });
  const embedded = network.dropout(add(words, positions), config.embd_pdrop);
  const hidden = decoderLayers(network, config.n_layer, embedded, inputs.asked, (index, rows) =>
    gpt2Layer(network.at(`transformer.h.${index}`), config, rows, { ...inputs, index, bias }),
  );
  return layerNorm(network.at('transformer.ln_f'), hidden, config.layer_norm_epsilon);
}
