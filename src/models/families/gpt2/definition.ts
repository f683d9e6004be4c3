import { z } from 'zod';
import { add, slice } from '../../../engine/graph/build.ts';
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
import { encodeLast, featureHead } from '../../heads/feature-head.ts';
import { spanHead, tokenHead } from '../../heads/linear-heads.ts';
import { wordLogits } from '../../heads/masked-lm-head.ts';
import type { CommonConfig, ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { attention } from '../../nn/attention.ts';
import { askedBias, decoderBias } from '../../nn/attention-bias.ts';
import { decoderLayers, type LayerRows } from '../../nn/decoder-layers.ts';
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import { selectRows } from '../../nn/last-rows.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(50257),
    n_positions: size.default(1024),
    n_embd: size.default(768),
    n_layer: layers.default(12),
    n_head: size.default(12),
    n_inner: size.nullish(),
    activation_function: z.string().default('gelu_new'),
    resid_pdrop: probability.default(0.1),
    embd_pdrop: probability.default(0.1),
    attn_pdrop: probability.default(0.1),
    classifier_dropout: probability.nullish(),
    hidden_dropout: probability.nullish(),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    pad_token_id: z.int().nullish(),
    scale_attn_weights: z.boolean().default(true),
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    add_cross_attention: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(({ n_embd, n_head }) => n_embd % n_head === 0, {
    path: ['n_head'],
    message: 'must divide n_embd',
  });

type Gpt2Config = z.infer<typeof schema> & CommonConfig;

/** Alternative field names that transformers accepts for GPT-2. */
const OTHER_NAMES = {
  hidden_size: 'n_embd',
  max_position_embeddings: 'n_positions',
  num_attention_heads: 'n_head',
  num_hidden_layers: 'n_layer',
};

/**
 * Parses a config.json of `model_type` gpt2. Fields keep Hugging Face's names. `reorder_and_upcast_attn` has
 * no effect in 32 bits.
 */
export function parseGpt2Config(json: unknown, where: string): Gpt2Config {
  const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
  return {
    ...fields,
    ...readLabels(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: fields.n_positions,
    initializerRange: fields.initializer_range,
    padTokenId: fields.pad_token_id ?? undefined,
  };
}

/** Inputs of a layer besides the hidden states. */
interface LayerInputs extends Pick<ModelInputs, 'batch' | 'sequence' | 'cache'> {
  /** The layer's index, from 0. */
  index: number;
  /** Added to the scores: [batch, 1, sequence, keys] */
  bias: Value;
}

/**
 * A layer: self-attention, then the feed-forward network, each applied to a layer norm of the hidden states.
 * The sublayers are the modules `attn` and `mlp`.
 */
function gpt2Layer(
  network: Network,
  config: Gpt2Config,
  { hidden, residual, asked }: LayerRows,
  inputs: LayerInputs,
): Value {
  const norm = (name: string, x: Value) => layerNormModule(network.at(name), x, config.layer_norm_epsilon);
  const [attn, mlp] = [network.at('attn'), network.at('mlp')];
  const mixed = selfAttention(attn, config, norm('ln_1', hidden), inputs, asked);
  const attended = add(attn.sublayer('attention', mixed, { residual }), residual);
  const inner = feedForward(mlp, config, norm('ln_2', attended));
  return add(mlp.sublayer('feedForward', inner, { residual: attended }), attended);
}

/** The module `attn`. Queries, keys and values come from one linear module, side by side. */
function selfAttention(
  module: Network,
  config: Gpt2Config,
  x: Value,
  { batch, sequence, cache, index, bias }: LayerInputs,
  asked: Value | undefined,
): Value {
  const { n_embd: width, n_head: heads } = config;
  const headSize = width / heads;
  const together = conv1d(module, 'c_attn', x, 3 * width);
  const [query, key, value] = [0, 1, 2].map((i) => slice(together, 1, i * width, (i + 1) * width)) as [
    Value,
    Value,
    Value,
  ];
  const remember = (name: string, rows: Value) => module.remembered(cache, name, rows, sequence, headSize);
  const scale = config.scale_attn_weights ? 1 / Math.sqrt(headSize) : 1;
  const asking = selectRows(query, asked);
  const mixed = attention(
    module,
    [asking, remember('key', key), remember('value', value)],
    askedBias(bias, asked),
    {
      batch,
      queries: asked ? 1 : sequence,
      heads,
      headSize,
      dropout: config.attn_pdrop,
      scale: config.scale_attn_by_inverse_layer_idx ? scale / (index + 1) : scale,
    },
  );
  return module.dropout(conv1d(module, 'c_proj', mixed, width), config.resid_pdrop);
}

/** The module `mlp`. */
function feedForward(module: Network, config: Gpt2Config, x: Value): Value {
  const inner = conv1d(module, 'c_fc', x, config.n_inner ?? 4 * config.n_embd);
  const active = activation(config.activation_function, 'activation_function')(inner);
  return module.dropout(conv1d(module, 'c_proj', active, config.n_embd), config.resid_pdrop);
}

/** A linear module as GPT-2 stores it, with a weight [in, out]. */
function conv1d(network: Network, path: string, x: Value, outFeatures: number): Value {
  return network.linear(path, x, outFeatures, { transposed: true });
}

const WORDS = 'transformer.wte';

/** Default dropout before the token classifier: a constant of transformers. */
const CLASSIFIER_DROPOUT = 0.1;

/** GPT-2 (Radford et al., 2019) as transformers computes it. */
export const gpt2: ModelDefinition<Gpt2Config> = {
  modelType: 'gpt2',
  isDecoder: true,
  gguf: {
    architecture: 'gpt2',
    modules: {
      'attn.c_attn': 'attn_qkv',
      'attn.c_proj': 'attn_output',
      'mlp.c_fc': 'ffn_up',
      'mlp.c_proj': 'ffn_down',
    },
  },
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
  const { inputIds, positionIds, attentionMask, sequence } = inputs;
  const words = wordEmbedding(network.at(WORDS), [vocab_size, width], inputIds);
  const positions = embedding(network.at('transformer.wpe'), [n_positions, width], positionIds);
  const bias = decoderBias(attentionMask, sequence);
  const embedded = network.dropout(add(words, positions), config.embd_pdrop);
  const hidden = decoderLayers(network, config.n_layer, embedded, inputs.asked, (index, rows) =>
    gpt2Layer(network.at(`transformer.h.${index}`), config, rows, { ...inputs, index, bias }),
  );
  return layerNormModule(network.at('transformer.ln_f'), hidden, config.layer_norm_epsilon);
}
