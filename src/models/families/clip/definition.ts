import { add, concat, reshape, slice } from '../../../engine/graph/build.ts';
import type { ModelDefinition, ModelInputs } from '../../model-definition.ts';
import { forEveryText } from '../../nn/embedding.ts';
import type { EncoderStates } from '../../nn/encoder-layers.ts';
import { layerNormModule } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { patchEmbedding, patchPositions, withTokens } from '../../nn/patch-embedding.ts';
import { preNormEncoder } from '../../nn/pre-norm-encoder.ts';
import {
  classToken,
  type EncodedImage,
  imageHead,
  imageVectorHead,
  meanPatches,
} from '../vision/image-heads.ts';
import { countPatches, TOWER_ROLES, type TowerConfig, towerConfig, towerLayers } from '../vision/tower.ts';

const PREFIX = 'vision_model';

const FEATURES = { states: encodeImage, features: meanPatches };

/** @param key the key of the vision tower's fields in config.json, if it describes two towers */
function family(modelType: string, key?: string): ModelDefinition<TowerConfig> {
  return {
    modelType,
    baseModelPrefix: PREFIX,
    roles: TOWER_ROLES,
    parseConfig: towerConfig({ key, activation: 'quick_gelu', epsilon: 1e-5, patch: 32, tokens: 1 }),
    heads: {
      // As in transformers, the classifier reads the states before the last norm.
      SEQ_CLS: imageHead('CLIPForImageClassification', FEATURES),
      FEATURE_EXTRACTION: imageVectorHead('CLIPVisionModel', PREFIX, {
        ...FEATURES,
        pooled: (network, config, states) =>
          layerNormModule(network.at(`${PREFIX}.post_layernorm`), classToken(states), config.layer_norm_eps),
        width: ({ hidden_size }) => hidden_size,
      }),
    },
  };
}

function encodeImage(
  network: Network,
  config: TowerConfig,
  { content, everyRow }: ModelInputs,
  rows: EncoderStates = 'all',
): EncodedImage {
  const { hidden_size: width, layer_norm_eps: epsilon } = config;
  const module = network.at(PREFIX);
  const embeddings = module.at('embeddings');
  const projection = embeddings.at('patch_embedding');
  const { patches, grid, batch } = patchEmbedding(projection, content, config.patch_size, width, false);
  const token = reshape(embeddings.parameter('class_embedding', [width]), [1, width]);
  const table = embeddings.parameter('position_embedding.weight', [1 + countPatches(config), width]);
  const positions = concat([slice(table, 0, 0, 1), patchPositions(table, 1, grid, { antialias: false })], 0);
  const placed = add(withTokens(token, patches, batch), forEveryText(positions, batch));
  const embedded = layerNormModule(module.at('pre_layrnorm'), placed, epsilon);
  const tokens = 1 + grid.rows * grid.columns;
  const hidden = preNormEncoder(
    module.at('encoder.layers'),
    towerLayers(config),
    embedded,
    { batch, tokens, everyRow },
    rows,
  );
  return { hidden, batch, tokens, before: 1 };
}

/** The vision tower of CLIP (Radford et al., 2021), in a checkpoint of both towers. */
export const clip = family('clip', 'vision_config');
export const clipVision = family('clip_vision_model');
