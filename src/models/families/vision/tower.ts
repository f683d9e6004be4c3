import { z } from 'zod';
import { isObject } from '../../../support/is-object.ts';
import { parseFields, size } from '../../config-fields.ts';
import { activation } from '../../nn/activation.ts';
import { twoLayers } from '../../nn/pre-norm-encoder.ts';
import { headsDivideWidth, type VisionConfig, visionFields, withVision } from './vision-config.ts';

/** The modules of a layer in the vision towers of CLIP and SigLIP. */
const TOWER_MODULES = {
  attention: 'self_attn',
  query: 'q_proj',
  key: 'k_proj',
  value: 'v_proj',
  attended: 'out_proj',
  attentionNorm: 'layer_norm1',
  feedForwardNorm: 'layer_norm2',
  feedForward: 'mlp',
};

export const TOWER_ROLES = {
  query: 'q_proj',
  key: 'k_proj',
  value: 'v_proj',
  output: 'out_proj',
  up: 'fc1',
  down: 'fc2',
};

const fields = {
  ...visionFields,
  intermediate_size: size.default(3072),
  hidden_act: z.string().optional(),
  layer_norm_eps: z.number().positive().optional(),
  patch_size: size.optional(),
};

const schema = z.object(fields).refine(...headsDivideWidth);

export type TowerConfig = VisionConfig<
  Required<Pick<z.infer<typeof schema>, 'hidden_act' | 'layer_norm_eps' | 'patch_size'>> &
    Omit<z.infer<typeof schema>, 'hidden_act' | 'layer_norm_eps' | 'patch_size'>
>;

/**
 * Returns a parser of a config.json.
 *
 * @param family.key the key of the vision tower's fields, if the file describes two towers
 * @param family.tokens number of tokens besides the patches
 */
export function towerConfig(family: {
  key: string | undefined;
  activation: string;
  epsilon: number;
  patch: number;
  tokens: number;
}) {
  return (json: unknown, where: string): TowerConfig => {
    const whole = isObject(json) ? json : {};
    const tower = family.key === undefined ? whole : { ...(whole[family.key] as object | undefined) };
    // Labels belong to the whole model.
    const { id2label, num_labels } = whole;
    const parsed = parseFields(schema, { ...tower, id2label, num_labels }, where);
    const { hidden_act = family.activation, layer_norm_eps = family.epsilon } = parsed;
    const { patch_size = family.patch } = parsed;
    return withVision({ ...parsed, hidden_act, layer_norm_eps, patch_size }, family.tokens);
  };
}

/** The layers of a tower. */
export function towerLayers(config: TowerConfig) {
  return {
    modules: TOWER_MODULES,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    bias: true,
    epsilon: config.layer_norm_eps,
    dropout: { weights: config.attention_dropout, hidden: 0 },
    feedForward: towerFeedForward(config),
  };
}

export function towerFeedForward(config: TowerConfig) {
  return twoLayers(config.intermediate_size, activation(config.hidden_act));
}
