import { z } from 'zod';
import {
  add,
  concat,
  divide,
  input,
  matmul,
  pad,
  reshape,
  slice,
  sum,
  transpose,
} from '../../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { lazy } from '../../../support/options.ts';
import {
  byOwnNames,
  encoderFields,
  layers,
  parseFields,
  probability,
  readLabels,
  size,
} from '../../config-fields.ts';
import { wordLogits } from '../../heads/masked-lm-head.ts';
import type { CommonConfig, ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { causalBias } from '../../nn/attention-bias.ts';
import { absolutePositions, forEveryText, wordEmbedding } from '../../nn/embedding.ts';
import { selectRows } from '../../nn/last-rows.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import { ENCODER_STATES, type Network } from '../../nn/network.ts';
import { toUnitLength } from '../../nn/pool-tokens.ts';
import { preNormEncoder, twoLayers } from '../../nn/pre-norm-encoder.ts';
import { PLAIN_SENTENCE } from '../../sentence-settings.ts';
import { crossAttention, selfAttention } from '../bart/model.ts';

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(51865),
    num_mel_bins: size.default(80),
    max_source_positions: size.default(1500),
    max_target_positions: size.default(448),
    d_model: size.default(384),
    encoder_layers: layers.default(4),
    encoder_attention_heads: size.default(6),
    encoder_ffn_dim: size.default(1536),
    decoder_layers: layers.default(4),
    decoder_attention_heads: size.default(6),
    decoder_ffn_dim: size.default(1536),
    activation_function: z.string().default('gelu'),
    dropout: probability.default(0),
    attention_dropout: probability.default(0),
    activation_dropout: probability.default(0),
    init_std: z.number().positive().default(0.02),
    scale_embedding: z.literal(false).default(false),
    pad_token_id: z.int().min(0).default(50256),
    decoder_start_token_id: z.int().min(0).default(50257),
    tie_word_embeddings: z.literal(true).default(true),
    classifier_proj_size: size.default(256),
    use_weighted_layer_sum: z.literal(false).default(false),
  })
  .superRefine(({ d_model, encoder_attention_heads, decoder_attention_heads }, { addIssue }) => {
    for (const [name, heads] of Object.entries({ encoder_attention_heads, decoder_attention_heads }))
      if (d_model % heads !== 0) addIssue({ code: 'custom', path: [name], message: 'must divide d_model' });
  });

type WhisperConfig = z.infer<typeof schema> & CommonConfig;

/** Name of the input for spectrograms. */
const SPECTROGRAMS = 'input_features';

const OTHER_NAMES = {
  hidden_size: 'd_model',
  num_attention_heads: 'encoder_attention_heads',
  num_hidden_layers: 'encoder_layers',
};

const LAYER_NORM_EPSILON = 1e-5;

/** The second convolution of the stem halves the number of frames. */
const FRAMES_PER_POSITION = 2;

const EMBEDDINGS = 'model.decoder.embed_tokens';

/** The names of an encoder layer's modules. */
const MODULES = {
  attention: 'self_attn',
  query: 'q_proj',
  key: 'k_proj',
  value: 'v_proj',
  attended: 'out_proj',
  attentionNorm: 'self_attn_layer_norm',
  feedForwardNorm: 'final_layer_norm',
};

/** Whisper (Radford et al., 2022) as transformers computes it, and classes of sounds over its encoder. */
export const whisper: ModelDefinition<WhisperConfig> = {
  modelType: 'whisper',
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
  // With a frozen encoder, its states are computed once (docs/sound.md).
  adaptedPart: 'model.decoder',
  tiedNames: { [`${EMBEDDINGS}.weight`]: ['proj_out.weight'] },
  parseConfig(json, where) {
    const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
    return {
      ...fields,
      ...readLabels(fields),
      vocabSize: fields.vocab_size,
      typeVocabSize: 0,
      maxLength: fields.max_source_positions,
      maxTargets: fields.max_target_positions,
      initializerRange: fields.init_std,
      padTokenId: fields.pad_token_id,
      decoderStartTokenId: fields.decoder_start_token_id,
      content: {
        medium: 'audio',
        input: SPECTROGRAMS,
        shape: [fields.num_mel_bins, FRAMES_PER_POSITION * fields.max_source_positions],
      },
    };
  },
  heads: {
    SEQ_2_SEQ_LM: {
      architecture: 'WhisperForConditionalGeneration',
      modules: [],
      mayLack: ['proj_out'],
      build(network, config, inputs) {
        const encoder = network.at('model.encoder');
        // The decoder's layers read these states.
        const build = () => encoder.layerInput(hear(encoder, config, inputs));
        const states = lazy(() => inputs.cache?.states?.(build) ?? build());
        const hidden = decode(network.at('model.decoder'), config, inputs, states);
        return wordLogits(network, config, EMBEDDINGS, selectRows(hidden, inputs.logitRows), 'proj_out');
      },
    },
    SEQ_CLS: {
      architecture: 'WhisperForAudioClassification',
      // transformers has no module `model` in this class, only the encoder.
      baseModelPrefix: '',
      modules: ['projector', 'classifier'],
      build(network, config, inputs) {
        const { classifier_proj_size: width } = config;
        const states = encode(network.at('encoder'), config, inputs);
        const pooled = meanFrames(network.linear('projector', states, width), config, inputs);
        return network.linear('classifier', pooled, config.numLabels);
      },
    },
    // The mean of the encoder's states. transformers has no class of its own for the encoder.
    FEATURE_EXTRACTION: {
      architecture: 'WhisperModel',
      baseModelPrefix: '',
      modules: [],
      outputs: ({ d_model }) => d_model,
      build(network, config, inputs) {
        const { normalize } = (config.sentence ?? PLAIN_SENTENCE).pooling;
        const states = encode(network.at('encoder'), config, inputs);
        inputs.onTokens?.(states);
        const vector = meanFrames(states, config, inputs);
        return normalize ? toUnitLength(vector) : vector;
      },
    },
  },
};

/** The mean over a sound's positions, [batch, width]. */
function meanFrames(
  states: Value,
  { max_source_positions: tokens }: WhisperConfig,
  { batch }: ModelInputs,
): Value {
  return divide(sum(reshape(states, [tokens, batch, states.shape[1]!]), [0]), tokens);
}

/** A convolution over time with a kernel of three: three shifted copies of the rows, and one product. */
function convolution(module: Network, taps: readonly Value[], width: number): Value {
  const channels = taps[0]!.shape[2] as number;
  const [frames, batch] = taps[0]!.shape as [number, Dimension];
  const kernel = transpose(module.parameter('weight', [width, channels, taps.length]), [0, 2, 1]);
  const size = taps.length * channels;
  const rows = reshape(concat(taps, 2), [multiplyDimensions(frames, batch), size]);
  const product = matmul(rows, reshape(kernel, [width, size]), { transposeB: true });
  return add(product, module.parameter('bias', [width]));
}

/** The encoder's output, [positions · batch, d_model], which may be known. */
function hear(module: Network, config: WhisperConfig, inputs: ModelInputs): Value {
  const { d_model: width, max_source_positions: positions } = config;
  const { batch, onEncoded } = inputs;
  if (module.readsStates) {
    const known = input(module.graph, ENCODER_STATES, 'float32', [batch, positions, width]);
    return reshape(transpose(known, [1, 0, 2]), [multiplyDimensions(positions, batch), width]);
  }
  const states = encode(module, config, inputs);
  onEncoded?.(states);
  return states;
}

/** The encoder's output, [positions · batch, d_model]. Every position reads all others, because silence is not masked. */
function encode(module: Network, config: WhisperConfig, { content, batch, everyRow }: ModelInputs): Value {
  const { d_model: width, max_source_positions: positions, dropout, activation_dropout } = config;
  const active = activation(config.activation_function, 'activation_function');
  const frames = FRAMES_PER_POSITION * positions;
  const bands = transpose(content, [2, 0, 1]);
  const padded = pad(bands, 0, 1, 1);
  const first = [0, 1, 2].map((tap) => slice(padded, 0, tap, tap + frames));
  const heard = reshape(active(convolution(module.at('conv1'), first, width)), [frames, batch, width]);
  // The second convolution reads every other frame: of frames in pairs, both of a pair and the first of the next.
  const pairs = reshape(pad(heard, 0, 1, 1), [positions + 1, 2, batch, width]);
  const side = (i: 0 | 1, from: number) =>
    reshape(slice(slice(pairs, 0, from, from + positions), 1, i, i + 1), [positions, batch, width]);
  const second = [side(0, 0), side(1, 0), side(0, 1)];
  const stem = active(convolution(module.at('conv2'), second, width));
  // Sinusoids, which transformers does not train either.
  const table = module.at('embed_positions').buffer('weight', [positions, width]);
  const embedded = module.dropout(add(stem, forEveryText(table, batch)), dropout);
  const settings = {
    modules: MODULES,
    layers: config.encoder_layers,
    heads: config.encoder_attention_heads,
    bias: [true, false, true] as const,
    epsilon: LAYER_NORM_EPSILON,
    dropout: { weights: config.attention_dropout, hidden: dropout },
    feedForward: twoLayers(config.encoder_ffn_dim, (x) => module.dropout(active(x), activation_dropout)),
  };
  const hidden = preNormEncoder(module.at('layers'), settings, embedded, {
    batch,
    tokens: positions,
    everyRow,
  });
  return layerNormModule(module.at('layer_norm'), hidden, LAYER_NORM_EPSILON);
}

/** The decoder's output, [target · batch, d_model]. */
function decode(module: Network, config: WhisperConfig, inputs: ModelInputs, states: () => Value): Value {
  const { d_model: width, dropout } = config;
  const { decoderInputIds, batch, target, cache } = inputs;
  const past = cache?.past ?? 0;
  const bias = causalBias(decoderInputIds, target, addDimensions(past, target));
  const asking = { batch, queries: target, heads: config.decoder_attention_heads, cache };
  const reading = { d_model: width, attention_dropout: config.attention_dropout, keyBias: false };
  const active = activation(config.activation_function, 'activation_function');
  const words = wordEmbedding(module.at('embed_tokens'), [config.vocab_size, width], decoderInputIds, {
    padding: config.pad_token_id,
  });
  const table = [config.max_target_positions, width] as const;
  const places = absolutePositions(module.at('embed_positions'), table, { batch, sequence: target }, past);
  let hidden = module.dropout(add(words, places), dropout);
  for (let i = 0; i < config.decoder_layers; i++) {
    module.layerInput(hidden);
    const layer = module.at(`layers.${i}`);
    const norm = (name: string) => layerNormModule(layer.at(name), hidden, LAYER_NORM_EPSILON);
    const end = (path: string, kind: 'attention' | 'crossAttention' | 'feedForward', output: Value) => {
      const residual = hidden;
      hidden = add(layer.at(path).sublayer(kind, layer.dropout(output, dropout), { residual }), residual);
    };
    end(
      'self_attn',
      'attention',
      selfAttention(layer.at('self_attn'), reading, norm('self_attn_layer_norm'), { ...asking, bias }),
    );
    const heard = { ...asking, states, sequence: config.max_source_positions };
    end(
      'encoder_attn',
      'crossAttention',
      crossAttention(layer.at('encoder_attn'), reading, norm('encoder_attn_layer_norm'), heard),
    );
    const inner = active(layer.linear('fc1', norm('final_layer_norm'), config.decoder_ffn_dim));
    end('fc2', 'feedForward', layer.linear('fc2', layer.dropout(inner, config.activation_dropout), width));
  }
  return layerNormModule(module.at('layer_norm'), hidden, LAYER_NORM_EPSILON);
}
