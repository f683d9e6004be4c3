import { z } from 'zod';
import { add, reshape, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { isObject } from '../../../support/options.ts';
import { probability, size } from '../../config-fields.ts';
import { featureHead } from '../../heads/feature-head.ts';
import { spanHead, tokenHead } from '../../heads/linear-heads.ts';
import { wordLogits } from '../../heads/masked-lm-head.ts';
import type { ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type DecoderAttentionOptions, decoderAttention } from '../../nn/decoder-attention.ts';
import { decoderLayers, type LayerRows } from '../../nn/decoder-layers.ts';
import { wordEmbedding } from '../../nn/embedding.ts';
import { selectRows } from '../../nn/last-rows.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { decoderFields, parseDecoderConfig } from '../llama/config.ts';
import { sequenceHead } from '../llama/decoder-model.ts';
import { DEFAULT_THETA, partialRotaryFields } from '../llama/rotary-fields.ts';

const schema = z.object({
  ...decoderFields,
  vocab_size: size.default(50432),
  hidden_act: z.string().default('gelu'),
  hidden_dropout: probability.default(0),
  classifier_dropout: probability.default(0.1),
  layer_norm_eps: z.number().positive().default(1e-5),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  rope_parameters: partialRotaryFields,
});

type GptNeoxConfig = ReturnType<typeof parseGptNeoxConfig>;

/** Default share of features in each head that are rotated. */
const TURNED = 0.25;

/** Parses a config.json of `model_type` gpt_neox. Fields keep Hugging Face's names. */
function parseGptNeoxConfig(json: unknown, where: string) {
  return parseDecoderConfig(schema, withCommonNames(json), where);
}

/**
 * Renames GPT-NeoX's rotary settings to the common names. As in transformers, the common names have no effect outside
 * of `rope_parameters`.
 */
function withCommonNames(json: unknown): unknown {
  if (!isObject(json)) return json;
  const scaling = json.rope_scaling ?? json.rope_parameters ?? {};
  if (!isObject(scaling)) return json;
  const rope_parameters = {
    rope_theta: json.rotary_emb_base ?? DEFAULT_THETA,
    partial_rotary_factor: json.rotary_pct ?? TURNED,
    ...scaling,
  };
  return { ...json, rope_scaling: null, rope_parameters };
}

/** The path of the word embeddings. */
const WORDS = 'gpt_neox.embed_in';

/** The output projection, if it is not tied to the embeddings, and its name in files. */
const PROJECTION = 'lm_head';
const STORED_PROJECTION = 'embed_out';

/** GPT-NeoX (Black et al., 2022) and Pythia as transformers computes them. */
export const gptNeox: ModelDefinition<GptNeoxConfig> = {
  modelType: 'gpt_neox',
  isDecoder: true,
  gguf: {
    architecture: 'gptneox',
    modules: {
      'attention.query_key_value': 'attn_qkv',
      'attention.dense': 'attn_output',
      'mlp.dense_h_to_4h': 'ffn_up',
      'mlp.dense_4h_to_h': 'ffn_down',
    },
    rows: fusedByPart,
  },
  baseModelPrefix: 'gpt_neox',
  roles: {
    queryKeyValue: 'query_key_value',
    output: 'attention.dense',
    up: 'dense_h_to_4h',
    down: 'dense_4h_to_h',
  },
  tiedNames: {
    [`${WORDS}.weight`]: [`${PROJECTION}.weight`, `${STORED_PROJECTION}.weight`],
    [`${PROJECTION}.weight`]: [`${STORED_PROJECTION}.weight`],
  },
  storedNames: { [`${PROJECTION}.weight`]: `${STORED_PROJECTION}.weight` },
  parseConfig: parseGptNeoxConfig,

  heads: {
    CAUSAL_LM: {
      architecture: 'GPTNeoXForCausalLM',
      modules: [],
      mayLack: [PROJECTION],
      build(network, config, inputs) {
        const rows = selectRows(gptNeoxModel(network, config, inputs), inputs.logitRows);
        return wordLogits(network, config, WORDS, rows);
      },
    },
    SEQ_CLS: sequenceHead('GPTNeoXForSequenceClassification', gptNeoxModel),
    TOKEN_CLS: tokenHead(
      'GPTNeoXForTokenClassification',
      gptNeoxModel,
      (config) => config.classifier_dropout,
    ),
    QUESTION_ANS: spanHead('GPTNeoXForQuestionAnswering', gptNeoxModel),
    FEATURE_EXTRACTION: featureHead(
      'GPTNeoXModel',
      'gpt_neox',
      gptNeoxModel,
      (config) => config.hidden_size,
      'decoder',
    ),
  },
};

/** GPT-NeoX without a head. Returns the last layer's normalized hidden states, [sequence · batch, hidden]. */
function gptNeoxModel(network: Network, config: GptNeoxConfig, inputs: ModelInputs): Value {
  const { vocab_size, hidden_size, hidden_dropout } = config;
  const module = network.at('gpt_neox');
  const words = wordEmbedding(network.at(WORDS), [vocab_size, hidden_size], inputs.inputIds);
  const embedded = network.dropout(words, hidden_dropout);
  const hidden = decoderLayers(module, config.num_hidden_layers, embedded, inputs.asked, (i, rows) =>
    layer(module.at(`layers.${i}`), config, rows, inputs),
  );
  return layerNormModule(module.at('final_layer_norm'), hidden, config.layer_norm_eps);
}

/** A layer. With parallel residuals, attention and the feed-forward network read the same hidden states. */
function layer(
  network: Network,
  config: GptNeoxConfig,
  { hidden, residual, asked }: LayerRows,
  inputs: ModelInputs,
): Value {
  const { intermediate_size, hidden_size, hidden_dropout, layer_norm_eps } = config;
  const norm = (name: string, x: Value) => layerNormModule(network.at(name), x, layer_norm_eps);
  const [attention, mlp] = [network.at('attention'), network.at('mlp')];
  const mixed = network.dropout(
    attend(attention, config, norm('input_layernorm', hidden), inputs, asked),
    hidden_dropout,
  );
  const attended = add(residual, attention.sublayer('attention', mixed, { residual }));
  const feedForwardInput = config.use_parallel_residual ? residual : attended;
  const inner = mlp.linear(
    'dense_h_to_4h',
    norm('post_attention_layernorm', feedForwardInput),
    intermediate_size,
  );
  const outer = mlp.linear('dense_4h_to_h', activation(config.hidden_act)(inner), hidden_size);
  const dropped = network.dropout(outer, hidden_dropout);
  return add(attended, mlp.sublayer('feedForward', dropped, { residual: attended }));
}

function attend(
  module: Network,
  config: GptNeoxConfig,
  x: Value,
  inputs: ModelInputs,
  asked: Value | undefined,
): Value {
  const { num_attention_heads: heads, headSize, attention_bias: bias } = config;
  const width = heads * headSize;
  const options: DecoderAttentionOptions = {
    heads,
    keyValueHeads: heads,
    headSize,
    rotary: config.rotary,
    dropout: config.attention_dropout,
    output: 'dense',
    outputBias: bias,
    // The query, key and value of each head are stored side by side.
    project(module, x) {
      const fused = module.linear('query_key_value', x, 3 * width, { bias });
      const [tokens] = x.shape;
      const parts = reshape(fused, [tokens!, heads, 3, headSize]);
      return [0, 1, 2].map((i) => reshape(slice(parts, 2, i, i + 1), [tokens!, width]));
    },
  };
  return decoderAttention(module, x, inputs, options, asked);
}

/** The query, key and value of each head become three blocks: all queries, all keys, all values. */
function fusedByPart(module: string, { num_attention_heads: heads, headSize }: GptNeoxConfig) {
  if (module !== 'attn_qkv') return undefined;
  return Uint32Array.from({ length: 3 * heads * headSize }, (_, row) => {
    const part = Math.floor(row / (heads * headSize));
    const head = Math.floor(row / headSize) % heads;
    return (head * 3 + part) * headSize + (row % headSize);
  });
}
