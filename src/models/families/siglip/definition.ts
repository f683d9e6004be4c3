import { add, matmul, reshape, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { attention } from '../../nn/attention.ts';
import { forEveryText } from '../../nn/embedding.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { patchEmbedding, patchPositions } from '../../nn/patch-embedding.ts';
import { preNormEncoder } from '../../nn/pre-norm-encoder.ts';
import { type EncodedImage, imageHead, imageVectorHead, meanPatches } from '../vision/image-heads.ts';
import {
  countPatches,
  TOWER_ROLES,
  type TowerConfig,
  towerConfig,
  towerFeedForward,
  towerLayers,
} from '../vision/tower.ts';

const PREFIX = 'vision_model';

const FEATURES = { states: encodeImage, features: meanPatches };

/** @param key the key of the vision tower's fields in config.json, if it describes two towers */
function family(modelType: string, key?: string): ModelDefinition<TowerConfig> {
  return {
    modelType,
    baseModelPrefix: PREFIX,
    roles: TOWER_ROLES,
    parseConfig: towerConfig({ key, activation: 'gelu_pytorch_tanh', epsilon: 1e-6, patch: 16, tokens: 0 }),
    heads: {
      SEQ_CLS: imageHead('SiglipForImageClassification', FEATURES, [`${PREFIX}.head`]),
      FEATURE_EXTRACTION: imageVectorHead('SiglipVisionModel', PREFIX, {
        ...FEATURES,
        pooled: attendedVector,
        width: ({ hidden_size }) => hidden_size,
      }),
    },
  };
}

/** The pooling head: one query, the probe, attends to all patches. */
function attendedVector(
  network: Network,
  config: TowerConfig,
  { hidden, batch, tokens }: EncodedImage,
): Value {
  const { hidden_size: width, num_attention_heads: heads } = config;
  const module = network.at(`${PREFIX}.head`);
  const inner = module.at('attention');
  const weight = inner.parameter('in_proj_weight', [3 * width, width]);
  const bias = inner.parameter('in_proj_bias', [3 * width]);
  const probe = forEveryText(reshape(module.parameter('probe', [1, 1, width]), [1, width]), batch);
  const part = (i: number, x: Value) =>
    add(
      matmul(x, slice(weight, 0, i * width, (i + 1) * width), { transposeB: true }),
      slice(bias, 0, i * width, (i + 1) * width),
    );
  const options = { batch, queries: 1, keys: tokens, heads, headSize: width / heads, dropout: 0 };
  const parts = [part(0, probe), part(1, hidden), part(2, hidden)] as const;
  const mixed = inner.linear('out_proj', attention(module, parts, undefined, options), width);
  const normalized = layerNormModule(module.at('layernorm'), mixed, config.layer_norm_eps);
  return add(mixed, towerFeedForward(config)(module.at('mlp'), normalized));
}

function encodeImage(network: Network, config: TowerConfig, { content }: ModelInputs): EncodedImage {
  const { hidden_size: width, layer_norm_eps: epsilon } = config;
  const module = network.at(PREFIX);
  const embeddings = module.at('embeddings');
  const projection = embeddings.at('patch_embedding');
  const { patches, grid, batch } = patchEmbedding(projection, content, config.patch_size, width);
  const table = embeddings.parameter('position_embedding.weight', [countPatches(config), width]);
  const positions = patchPositions(table, 0, grid, { antialias: false });
  const tokens = grid.rows * grid.columns;
  const embedded = add(patches, forEveryText(positions, batch));
  const hidden = preNormEncoder(module.at('encoder.layers'), towerLayers(config), embedded, {
    batch,
    tokens,
  });
  const normed = layerNormModule(module.at('post_layernorm'), hidden, epsilon);
  return { hidden: normed, batch, tokens, before: 0 };
}

/** The vision tower of SigLIP (Zhai et al., 2023), in a checkpoint of both towers. */
export const siglip = family('siglip', 'vision_config');
export const siglipVision = family('siglip_vision_model');
