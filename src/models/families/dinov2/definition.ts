import { z } from 'zod';
import { add, concat, multiply, reshape, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { headsDivideWidth, parseFields, probability } from '../../config-fields.ts';
import type { ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { forEveryText } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { patchEmbedding, patchPositions, withTokens } from '../../nn/patch-embedding.ts';
import { preNormEncoder, twoLayers } from '../../nn/pre-norm-encoder.ts';
import {
  classAndMean,
  classToken,
  type EncodedImage,
  imageHead,
  imageVectorHead,
} from '../vision/image-heads.ts';
import {
  ATTENTION_IN_FILES,
  ATTENTION_MODULES,
  ATTENTION_ROLES,
  countPatches,
  type VisionConfig,
  visionFields,
  withVision,
} from '../vision/tower.ts';

const schema = z
  .object({
    ...visionFields,
    mlp_ratio: z.number().positive().max(64).default(4),
    hidden_act: z.string().default('gelu'),
    hidden_dropout_prob: probability.default(0),
    attention_probs_dropout_prob: probability.default(0),
    drop_path_rate: z.literal(0, 'stochastic depth is not supported').default(0),
    layer_norm_eps: z.number().positive().default(1e-6),
    layerscale_value: z.number().default(1),
    qkv_bias: z.boolean().default(true),
    use_swiglu_ffn: z.boolean().default(false),
    num_register_tokens: z.int().min(0).max(1000).optional(),
  })
  .refine(...headsDivideWidth);

type Dinov2Config = VisionConfig<z.infer<typeof schema>>;

const MODULES = {
  ...ATTENTION_MODULES,
  attentionNorm: 'norm1',
  feedForwardNorm: 'norm2',
  feedForward: 'mlp',
};

/** @param registers the default number of register tokens */
function family(modelType: string, name: string, registers: number): ModelDefinition<Dinov2Config> {
  const encode = (network: Network, config: Dinov2Config, inputs: ModelInputs, rows?: EncoderStates) =>
    encodeImage(network.at(modelType), config, inputs, config.num_register_tokens ?? registers, rows);
  const features = { states: encode, features: classAndMean };
  return {
    modelType,
    baseModelPrefix: modelType,
    roles: {
      ...ATTENTION_ROLES,
      up: ['fc1', 'gate_proj', 'up_proj'],
      down: ['fc2', 'down_proj'],
    },
    renamedModules: [...ATTENTION_IN_FILES, ['mlp.down_proj', 'mlp.weights_out']],
    cutModules: { 'mlp.weights_in': ['mlp.gate_proj', 'mlp.up_proj'] },
    parseConfig(json, where) {
      const fields = parseFields(schema, json, where);
      return withVision(fields, 1 + (fields.num_register_tokens ?? registers));
    },
    heads: {
      SEQ_CLS: imageHead(`${name}ForImageClassification`, features),
      FEATURE_EXTRACTION: imageVectorHead(`${name}Model`, modelType, {
        ...features,
        pooled: (_network, _config, states) => classToken(states),
        width: ({ hidden_size }, isPooled) => (isPooled ? 1 : 2) * hidden_size,
      }),
    },
  };
}

/** The class token, registers and patches. Only the class token and the patches have positions. */
function encodeImage(
  module: Network,
  config: Dinov2Config,
  { content, everyRow }: ModelInputs,
  registers: number,
  rows: EncoderStates = 'all',
): EncodedImage {
  const { hidden_size: width, patch_size, layer_norm_eps: epsilon } = config;
  const embeddings = module.at('embeddings');
  const projection = embeddings.at('patch_embeddings.projection');
  const { patches, grid, batch } = patchEmbedding(projection, content, patch_size, width);
  const count = 1 + countPatches(config);
  const token = reshape(embeddings.parameter('cls_token', [1, 1, width]), [1, width]);
  const table = embeddings.parameter('position_embeddings', [1, count, width]);
  const first = add(token, slice(reshape(table, [count, width]), 0, 0, 1));
  const more = registers > 0 && embeddings.parameter('register_tokens', [1, registers, width]);
  const before = more ? concat([first, reshape(more, [registers, width])], 0) : first;
  // transformers interpolates with antialiasing only in the family with registers.
  const positions = patchPositions(table, 1, grid, { antialias: registers > 0 });
  const placed = withTokens(before, add(patches, forEveryText(positions, batch)), batch);
  const inner = Math.trunc(width * config.mlp_ratio);
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    bias: config.qkv_bias,
    epsilon,
    dropout: { weights: config.attention_probs_dropout_prob, hidden: 0 },
    feedForward: config.use_swiglu_ffn ? swiglu(inner) : twoLayers(inner, activation(config.hidden_act)),
    scales: ['layer_scale1', 'layer_scale2'] as const,
  };
  const tokens = 1 + registers + grid.rows * grid.columns;
  const hidden = preNormEncoder(
    module.at('encoder.layer'),
    settings,
    embeddings.dropout(placed, config.hidden_dropout_prob),
    { batch, tokens, everyRow },
    rows,
  );
  const normed = layerNormModule(module.at('layernorm'), hidden, epsilon);
  return { hidden: normed, batch, tokens, before: 1 + registers };
}

/** A gated feed-forward network, with two thirds of the usual width, rounded up to a multiple of 8. */
function swiglu(inner: number) {
  const width = Math.trunc((Math.trunc((inner * 2) / 3) + 7) / 8) * 8;
  return (module: Network, x: Value): Value => {
    const [gate, up] = module.linearGroup(['gate_proj', 'up_proj'], x, [width, width]);
    return module.linear('down_proj', multiply(activation('silu')(gate), up), x.shape[1] as number);
  };
}

/** DINOv2 (Oquab et al., 2023) as transformers computes it. */
export const dinov2 = family('dinov2', 'Dinov2', 0);

/** DINOv2 with registers (Darcet et al., 2024). */
export const dinov2WithRegisters = family('dinov2_with_registers', 'Dinov2WithRegisters', 4);
