import { z } from 'zod';
import { add, concat, reshape, slice } from '../../../engine/graph/build.ts';
import { headsDivideWidth, parseFields, probability, size } from '../../config-fields.ts';
import type { ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { forEveryText } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { patchEmbedding, patchPositions, withTokens } from '../../nn/patch-embedding.ts';
import { preNormEncoder, twoLayers } from '../../nn/pre-norm-encoder.ts';
import { classToken, type EncodedImage, imageHead, imageVectorHead } from '../vision/image-heads.ts';
import {
  ATTENTION_IN_FILES,
  ATTENTION_MODULES,
  ATTENTION_ROLES,
  countPatches,
  pretrainedGrid,
  type VisionConfig,
  visionFields,
  withVision,
} from '../vision/tower.ts';

const schema = z
  .object({
    ...visionFields,
    intermediate_size: size.default(3072),
    hidden_act: z.string().default('gelu'),
    hidden_dropout_prob: probability.default(0),
    attention_probs_dropout_prob: probability.default(0),
    layer_norm_eps: z.number().positive().default(1e-12),
    qkv_bias: z.boolean().default(true),
  })
  .refine(...headsDivideWidth);

type ViTConfig = VisionConfig<z.infer<typeof schema>>;

const MODULES = {
  ...ATTENTION_MODULES,
  attentionNorm: 'layernorm_before',
  feedForwardNorm: 'layernorm_after',
  feedForward: 'mlp',
};

/**
 * A family of ViT's layers.
 *
 * @param tokens the parameters of the tokens before the patches
 */
function family(
  modelType: 'vit' | 'deit',
  name: string,
  tokens: readonly string[],
): ModelDefinition<ViTConfig> {
  const encode = (network: Network, config: ViTConfig, inputs: ModelInputs, rows?: EncoderStates) =>
    encodeImage(network.at(modelType), config, inputs, tokens, rows);
  const first = (network: Network, config: ViTConfig, inputs: ModelInputs) =>
    encode(network, config, inputs, 'first');
  return {
    modelType,
    baseModelPrefix: modelType,
    roles: {
      ...ATTENTION_ROLES,
      up: 'fc1',
      down: 'fc2',
    },
    renamedModules: [
      ['layers', 'encoder.layer'],
      ...ATTENTION_IN_FILES,
      ['mlp.fc1', 'intermediate.dense'],
      ['mlp.fc2', 'output.dense'],
    ],
    parseConfig: (json, where) => withVision(parseFields(schema, json, where), tokens.length),
    heads: {
      SEQ_CLS: imageHead(
        `${name}ForImageClassification`,
        { states: first, features: ({ hidden }) => hidden },
        [`${modelType}.pooler`],
      ),
      FEATURE_EXTRACTION: imageVectorHead(`${name}Model`, modelType, {
        states: encode,
        pooled: (_network, _config, states) => classToken(states),
        features: classToken,
        width: ({ hidden_size }) => hidden_size,
      }),
    },
  };
}

/** The class token, other tokens and patches with their positions, then the layers and a norm. */
function encodeImage(
  module: Network,
  config: ViTConfig,
  { content, everyRow }: ModelInputs,
  tokens: readonly string[],
  rows: EncoderStates = 'all',
): EncodedImage {
  const { hidden_size: width, patch_size, layer_norm_eps: epsilon } = config;
  const embeddings = module.at('embeddings');
  const projection = embeddings.at('patch_embeddings.projection');
  const { patches, grid, batch } = patchEmbedding(projection, content, patch_size, width);
  const before = tokens.length;
  const first = concat(
    tokens.map((name) => reshape(embeddings.parameter(name, [1, 1, width]), [1, width])),
    0,
  );
  const count = before + countPatches(config);
  const table = embeddings.parameter('position_embeddings', [1, count, width]);
  const ofTokens = slice(reshape(table, [count, width]), 0, 0, before);
  const positions = patchPositions(table, before, grid, { antialias: false, from: pretrainedGrid(config) });
  const placed = add(
    withTokens(first, patches, batch),
    forEveryText(concat([ofTokens, positions], 0), batch),
  );
  const embedded = embeddings.dropout(placed, config.hidden_dropout_prob);
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    bias: config.qkv_bias,
    epsilon,
    dropout: { weights: config.attention_probs_dropout_prob, hidden: config.hidden_dropout_prob },
    feedForward: twoLayers(config.intermediate_size, activation(config.hidden_act)),
  };
  const sizes = { batch, tokens: before + grid.rows * grid.columns, everyRow };
  const hidden = preNormEncoder(module.at('layers'), settings, embedded, sizes, rows);
  const normed = layerNormModule(module.at('layernorm'), hidden, epsilon);
  return { hidden: normed, batch, tokens: sizes.tokens, before };
}

/** ViT (Dosovitskiy et al., 2021) as transformers computes it. */
export const vit = family('vit', 'ViT', ['cls_token']);

/** DeiT (Touvron et al., 2021): ViT with a token for distillation. */
export const deit = family('deit', 'DeiT', ['cls_token', 'distillation_token']);
