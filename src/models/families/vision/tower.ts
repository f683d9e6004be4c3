import { z } from 'zod';
import { isObject } from '../../../support/options.ts';
import { headsDivideWidth, layers, parseFields, probability, readLabels, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import type { Grid } from '../../nn/patch-embedding.ts';
import { twoLayers } from '../../nn/pre-norm-encoder.ts';

/** Fields of every vision transformer's config.json. */
export const visionFields = {
  hidden_size: size.default(768),
  num_hidden_layers: layers.default(12),
  num_attention_heads: size.default(12),
  image_size: z.union([size, z.array(size).length(2)]).default(224),
  patch_size: size.default(16),
  num_channels: z.literal(3, 'only images with three channels are supported').default(3),
  attention_dropout: probability.default(0),
  initializer_range: z.number().positive().default(0.02),
  num_labels: size.optional(),
  id2label: z.record(z.string(), z.string()).optional(),
};

type VisionFields = z.infer<z.ZodObject<typeof visionFields>>;

/** The size of an image in pixels. */
interface ImageSize {
  height: number;
  width: number;
}

interface ImageInput extends ImageSize {
  /** Length of the sides of a patch. */
  patch: number;
  /** Number of tokens before those of the patches. */
  before: number;
}

export type VisionConfig<Fields> = Fields & CommonConfig & { image: ImageInput };

/** Name of the input for images. */
export const PIXELS = 'pixel_values';

/**
 * Adds the fields that all models share. The image's size is replaced by that of the model's processor.
 *
 * @param tokens number of tokens besides the patches
 */
export function withVision<Fields extends VisionFields>(
  fields: Fields,
  tokens: number,
): VisionConfig<Fields> {
  const { image_size, patch_size } = fields;
  const [height, width] =
    typeof image_size === 'number' ? [image_size, image_size] : (image_size as [number, number]);
  return {
    ...fields,
    ...readLabels(fields),
    vocabSize: 0,
    typeVocabSize: 0,
    initializerRange: fields.initializer_range,
    ...ofSize({ height, width, patch: patch_size, before: tokens }),
  };
}

/** A model's config for images of another size than those of its pretraining. Positions are then interpolated. */
export function withImageSize<Fields>(config: VisionConfig<Fields>, size: ImageSize): VisionConfig<Fields> {
  return { ...config, ...ofSize({ ...config.image, ...size }) };
}

/** The fields that depend on the size of images. */
function ofSize(image: ImageInput) {
  const { height, width, patch, before } = image;
  return {
    image,
    content: { medium: 'image', input: PIXELS, shape: [3, height, width] },
    maxLength: before + Math.floor(height / patch) * Math.floor(width / patch),
  };
}

/** The grid of patches of the images with which the model was pretrained. */
export function pretrainedGrid({ image_size, patch_size }: VisionFields): Grid {
  const sides = typeof image_size === 'number' ? [image_size, image_size] : image_size;
  const [rows, columns] = sides.map((side) => Math.floor(side / patch_size)) as [number, number];
  return { rows, columns };
}

/** Number of patches of the images with which the model was pretrained. */
export function countPatches(fields: VisionFields): number {
  const { rows, columns } = pretrainedGrid(fields);
  return rows * columns;
}

/** The attention's modules in ViT and DINOv2. */
export const ATTENTION_MODULES = {
  attention: 'attention',
  query: 'q_proj',
  key: 'k_proj',
  value: 'v_proj',
  attended: 'o_proj',
};

export const ATTENTION_ROLES = { query: 'q_proj', key: 'k_proj', value: 'v_proj', output: 'o_proj' };

/** The names of these modules in files. */
export const ATTENTION_IN_FILES: [string, string][] = [
  ['attention.q_proj', 'attention.attention.query'],
  ['attention.k_proj', 'attention.attention.key'],
  ['attention.v_proj', 'attention.attention.value'],
  ['attention.o_proj', 'attention.output.dense'],
];

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
