import { z } from 'zod';
import {
  add,
  concat,
  divide,
  matmul,
  pad,
  reshape,
  slice,
  sum,
  transpose,
} from '../../../engine/graph/build.ts';
import { type Dimension, multiplyDimensions } from '../../../engine/graph/dimension.ts';
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
import type { CommonConfig, ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { forEveryText } from '../../nn/embedding.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { toUnitLength } from '../../nn/pool-tokens.ts';
import { preNormEncoder, twoLayers } from '../../nn/pre-norm-encoder.ts';
import { PLAIN_SENTENCE } from '../../sentence-settings.ts';

const schema = z
  .object({
    ...encoderFields,
    num_mel_bins: size.default(80),
    max_source_positions: size.default(1500),
    d_model: size.default(384),
    encoder_layers: layers.default(4),
    encoder_attention_heads: size.default(6),
    encoder_ffn_dim: size.default(1536),
    activation_function: z.string().default('gelu'),
    dropout: probability.default(0),
    attention_dropout: probability.default(0),
    activation_dropout: probability.default(0),
    init_std: z.number().positive().default(0.02),
    scale_embedding: z.literal(false).default(false),
    classifier_proj_size: size.default(256),
    use_weighted_layer_sum: z.literal(false).default(false),
  })
  .refine(({ d_model, encoder_attention_heads }) => d_model % encoder_attention_heads === 0, {
    path: ['encoder_attention_heads'],
    message: 'must divide d_model',
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

/** The encoder of Whisper (Radford et al., 2022), and classes of sounds over it. */
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
  parseConfig(json, where) {
    const fields = parseFields(schema, byOwnNames(json, OTHER_NAMES), where);
    return {
      ...fields,
      ...readLabels(fields),
      vocabSize: 0,
      typeVocabSize: 0,
      maxLength: fields.max_source_positions,
      initializerRange: fields.init_std,
      content: {
        medium: 'audio',
        input: SPECTROGRAMS,
        shape: [fields.num_mel_bins, FRAMES_PER_POSITION * fields.max_source_positions],
      },
    };
  },
  heads: {
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
