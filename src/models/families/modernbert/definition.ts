import { z } from 'zod';
import {
  add,
  expand,
  iota,
  matmul,
  multiply,
  reshape,
  rotate,
  slice,
  transpose,
} from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { encoderFields, layers, parseFields, probability, readLabels, size } from '../../config-fields.ts';
import { featureHead } from '../../heads/feature-head.ts';
import { isTied } from '../../heads/masked-lm-head.ts';
import type { CommonConfig, ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { attention } from '../../nn/attention.ts';
import { attentionBias, windowBias } from '../../nn/attention-bias.ts';
import { wordEmbedding } from '../../nn/embedding.ts';
import { type EncoderStates, encoderLayers } from '../../nn/encoder-layers.ts';
import { firstTokens, selectRows } from '../../nn/last-rows.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { meanTokens } from '../../nn/pool-tokens.ts';
import { type Rotary, rotation } from '../../nn/rotary.ts';
import {
  checkLayerTypes,
  FULL,
  type LayerType,
  layerTypes,
  SLIDING,
  typesWhere,
} from '../llama/layer-types.ts';
import { readRotaries, rotaryByLayer, withRotaryByLayer } from '../llama/rotary.ts';

const WORDS = 'model.embeddings.tok_embeddings.weight';

/**
 * The module `head` is part of checkpoints with a language model head. So a classifier starts from a trained
 * `head`.
 */
const CLASSIFIER = { modules: ['classifier'], mayLack: ['head'] };

/** ModernBERT (Warner et al., 2024) as transformers computes it. */
export const modernBert: ModelDefinition<ModernBertConfig> = {
  modelType: 'modernbert',
  baseModelPrefix: 'model',
  roles: {
    queryKeyValue: 'Wqkv',
    output: 'attn.Wo',
    up: 'Wi',
    down: 'mlp.Wo',
  },
  tiedNames: { [WORDS]: ['decoder.weight'] },
  parseConfig: parseModernBertConfig,

  heads: {
    SEQ_CLS: {
      architecture: 'ModernBertForSequenceClassification',
      ...CLASSIFIER,
      build(network, config, inputs) {
        const isMean = config.classifier_pooling === 'mean';
        const hidden = modernBertModel(network, config, inputs, isMean ? 'all' : 'first');
        return classes(network, config, isMean ? meanTokens(hidden, inputs) : hidden, config.numLabels);
      },
    },
    QUESTION_ANS: {
      architecture: 'ModernBertForQuestionAnswering',
      ...CLASSIFIER,
      build(network, config, inputs) {
        const scores = classes(network, config, modernBertModel(network, config, inputs), 2);
        // From sequence-major rows of two scores to [2, batch, sequence].
        return transpose(reshape(scores, [inputs.sequence, inputs.batch, 2]), [2, 1, 0]);
      },
    },
    FEATURE_EXTRACTION: featureHead(
      'ModernBertModel',
      'model',
      modernBertModel,
      (config) => config.hidden_size,
    ),
    TOKEN_CLS: {
      architecture: 'ModernBertForTokenClassification',
      ...CLASSIFIER,
      build(network, config, inputs) {
        const rows = selectRows(modernBertModel(network, config, inputs), inputs.logitRows);
        return classes(network, config, rows, config.numLabels);
      },
    },
    MASKED_LM: {
      architecture: 'ModernBertForMaskedLM',
      modules: [],
      mayLack: ['head', 'decoder'],
      build(network, config, inputs) {
        const { vocab_size, hidden_size, decoder_bias: bias } = config;
        const rows = selectRows(modernBertModel(network, config, inputs), inputs.logitRows);
        const transformed = transformRows(network, config, rows);
        if (!isTied(config)) {
          network.words = 'decoder';
          return network.linear('decoder', transformed, vocab_size, { bias });
        }
        const words = matmul(transformed, network.parameter(WORDS, [vocab_size, hidden_size]), {
          transposeB: true,
        });
        return bias ? add(words, network.parameter('decoder.bias', [vocab_size])) : words;
      },
    },
  },
};

/** The module `head`, which all heads except feature extraction have. */
function transformRows(network: Network, config: ModernBertConfig, rows: Value): Value {
  const { hidden_size, classifier_bias: bias } = config;
  const active = activation(config.classifier_activation, 'classifier_activation');
  const dense = network.linear('head.dense', rows, hidden_size, { bias });
  return modernBertNorm(network.at('head.norm'), config, active(dense));
}

function classes(network: Network, config: ModernBertConfig, rows: Value, count: number): Value {
  const dropped = network.dropout(transformRows(network, config, rows), config.classifier_dropout);
  return network.linear('classifier', dropped, count);
}

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(50368),
    hidden_size: size.default(768),
    intermediate_size: size.default(1152),
    num_hidden_layers: layers.default(22),
    num_attention_heads: size.default(12),
    hidden_activation: z.string().default('gelu'),
    max_position_embeddings: size.default(8192),
    norm_eps: z.number().positive().default(1e-5),
    norm_bias: z.boolean().default(false),
    pad_token_id: z.int().nullable().default(50283),
    attention_bias: z.boolean().default(false),
    attention_dropout: probability.default(0),
    layer_types: layerTypes.nullish(),
    global_attn_every_n_layers: size.default(3),
    rope_parameters: rotaryByLayer,
    local_attention: size.min(2).default(128),
    embedding_dropout: probability.default(0),
    mlp_bias: z.boolean().default(false),
    mlp_dropout: probability.default(0),
    decoder_bias: z.boolean().default(true),
    classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
    classifier_dropout: probability.default(0),
    classifier_bias: z.boolean().default(false),
    classifier_activation: z.string().default('gelu'),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % (2 * num_attention_heads) === 0, {
    path: ['num_attention_heads'],
    message: 'must divide hidden_size, and the size of each head must be an even number',
  })
  .transform((fields) => ({
    ...fields,
    /** In a layer with a window, a token sees this many tokens in each direction. */
    sliding_window: Math.floor(fields.local_attention / 2),
    layer_types:
      fields.layer_types ??
      typesWhere(fields.num_hidden_layers, (i) => i % fields.global_attn_every_n_layers !== 0),
  }))
  .superRefine(checkLayerTypes);

type ModernBertConfig = z.infer<typeof schema> & CommonConfig & { rotaries: Record<LayerType, Rotary> };

const THETAS = { [FULL]: ['global_rope_theta', 160_000], [SLIDING]: ['local_rope_theta', 10_000] } as const;

/** Parses a config.json of `model_type` modernbert. Fields keep Hugging Face's names. */
function parseModernBertConfig(json: unknown, where: string): ModernBertConfig {
  const fields = parseFields(schema, withRotaryByLayer(json, THETAS, [FULL, SLIDING]), where);
  const { hidden_size, initializer_range: range, pad_token_id, max_position_embeddings: longest } = fields;
  return {
    ...fields,
    ...readLabels(fields),
    rotaries: readRotaries(fields.rope_parameters, hidden_size / fields.num_attention_heads, longest),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: longest,
    initializerRange: range,
    deviationOf(name) {
      if (name.startsWith('classifier.')) return hidden_size ** -0.5;
      return /(^|\.)(Wo|head\.dense|decoder)\./.test(name)
        ? range / Math.sqrt(2 * fields.num_hidden_layers)
        : range;
    },
    padTokenId: pad_token_id ?? undefined,
  };
}

/** Values that layers of the same type share: the bias of the scores, and the rotation of each token. */
interface Places {
  /** [batch, 1, tokens | 1, tokens] */
  bias: Value;
  turns: ReturnType<typeof rotation>;
}

/**
 * ModernBERT without a head: norms before the sublayers and at the end, rotary positions, and windows in most
 * layers. Returns the last layer's hidden states, [sequence · batch, hidden].
 */
function modernBertModel(
  network: Network,
  config: ModernBertConfig,
  inputs: ModelInputs,
  rows?: EncoderStates,
): Value {
  const module = network.at('model');
  const places = computePlaces(config, inputs);
  const { batch, everyRow } = inputs;
  const hidden = encoderLayers(
    module,
    config.num_hidden_layers,
    embeddings(module.at('embeddings'), config, inputs),
    { rows, batch, everyRow },
    (i, hidden, asked) => {
      const layer = module.at(`layers.${i}`);
      const normed = i === 0 ? hidden : modernBertNorm(layer.at('attn_norm'), config, hidden);
      const mixed = attend(layer.at('attn'), config, normed, asked !== hidden, {
        ...inputs,
        ...places[config.layer_types[i]!],
      });
      const attended = add(asked, layer.at('attn').sublayer('attention', mixed, { residual: asked }));
      const inner = feedForward(
        layer.at('mlp'),
        config,
        modernBertNorm(layer.at('mlp_norm'), config, attended),
      );
      return add(attended, layer.at('mlp').sublayer('feedForward', inner, { residual: attended }));
    },
  );
  return modernBertNorm(module.at('final_norm'), config, hidden);
}

/** A layer norm. By default, it has no bias. */
function modernBertNorm(module: Network, { norm_eps, norm_bias }: ModernBertConfig, x: Value): Value {
  return layerNormModule(module, x, norm_eps, norm_bias);
}

function embeddings(module: Network, config: ModernBertConfig, { inputIds }: ModelInputs): Value {
  const { vocab_size, hidden_size, pad_token_id } = config;
  const words = wordEmbedding(module.at('tok_embeddings'), [vocab_size, hidden_size], inputIds, {
    padding: pad_token_id,
  });
  return module.dropout(modernBertNorm(module.at('norm'), config, words), config.embedding_dropout);
}

function computePlaces(config: ModernBertConfig, { attentionMask, sequence, batch }: ModelInputs) {
  const positions = reshape(iota(attentionMask.node.graph, sequence), [sequence, 1]);
  const turnsOf = (type: LayerType) => rotation(expand(positions, [sequence, batch]), config.rotaries[type]);
  const padding = attentionBias(attentionMask);
  const local = add(windowBias(attentionMask, config.sliding_window), padding);
  return {
    [FULL]: { bias: padding, turns: turnsOf(FULL) },
    [SLIDING]: { bias: local, turns: turnsOf(SLIDING) },
  } satisfies Record<LayerType, Places>;
}

/**
 * The module `attn` on rows x [sequence · batch, hidden].
 *
 * @param isFirst whether only the first tokens are queries; then the result contains only their rows
 */
function attend(
  module: Network,
  config: ModernBertConfig,
  x: Value,
  isFirst: boolean,
  { batch, sequence, bias, turns }: Places & Pick<ModelInputs, 'batch' | 'sequence'>,
): Value {
  const {
    hidden_size: width,
    num_attention_heads: heads,
    attention_bias,
    attention_dropout: dropout,
  } = config;
  const fused = module.linear('Wqkv', x, 3 * width, { bias: attention_bias });
  const [query, key, value] = [0, 1, 2].map((i) => slice(fused, 1, i * width, (i + 1) * width)) as [
    Value,
    Value,
    Value,
  ];
  const headSize = width / heads;
  const turned = rotate(query, turns, headSize);
  const asked = isFirst ? firstTokens(turned, { batch }) : turned;
  const seen = isFirst && bias.shape[2] !== 1 ? slice(bias, 2, 0, 1) : bias;
  const queries = isFirst ? 1 : sequence;
  const mixed = attention(module, [asked, rotate(key, turns, headSize), value], seen, {
    batch,
    queries,
    heads,
    headSize,
    dropout,
  });
  return module.dropout(module.linear('Wo', mixed, width, { bias: attention_bias }), dropout);
}

/** The module `mlp`: a gated linear unit whose two halves are in one matrix. */
function feedForward(module: Network, config: ModernBertConfig, x: Value): Value {
  const { intermediate_size: inner, mlp_bias: bias } = config;
  const fused = module.linear('Wi', x, 2 * inner, { bias });
  const active = activation(config.hidden_activation, 'hidden_activation')(slice(fused, 1, 0, inner));
  const gated = multiply(active, slice(fused, 1, inner, 2 * inner));
  return module.linear('Wo', module.dropout(gated, config.mlp_dropout), config.hidden_size, { bias });
}
