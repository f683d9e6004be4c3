import { z } from 'zod';
import { largest } from '../../../support/numbers.ts';
import { adapterConfigShape, scaleShape } from '../low-rank/peft-config.ts';
import { rank } from '../peft/settings.ts';
import { weightStart } from './start-factors.ts';

/** Whether the scale is rsLoRA's, by PEFT's key or adalora's. */
export function isRankStabilised({ use_rslora, scale }: Pick<LoraConfig, 'use_rslora' | 'scale'>): boolean {
  return use_rslora || scale === 'rslora';
}

/** The learning rates of LoRA, and of methods that train it with measured ranks. */
export const LORA_RATES = {
  learningRate: 5e-4,
  chosen: { encoder: { rate: 3e-3, lora_alpha: 32 }, language: { rate: 2e-4, lora_alpha: 16 } },
};

/**
 * Keys that select a variant of LoRA if they differ from these values. At most one variant is allowed, but DoRA goes with
 * PiSSA.
 */
const EXCLUSIVE = { init_lora_weights: true, use_dora: false } as const;

/** LoRA's settings: PEFT's keys and defaults. */
export const loraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Rank of every module. */
    r: rank.default(8),
    /** Scale `lora_alpha / sqrt(r)` instead of `lora_alpha / r` (rank-stabilized LoRA). */
    use_rslora: z.boolean().default(false),
    /** `rslora` has the same effect as `use_rslora`. */
    scale: scaleShape.scale.unwrap().optional(),
    /** Ranks that differ from `r`. Keys are module paths, suffixes or regular expressions. */
    rank_pattern: z.record(z.string(), rank).default({}),
    /** Alphas that differ from `lora_alpha`, with keys as in `rank_pattern`. */
    alpha_pattern: z.record(z.string(), z.number().positive()).default({}),
    /**
     * Initial A and B. `true`: A uniform, B zero. `pissa`: the principal part of the weight. `pissa_niter_16`: an
     * approximation of `pissa` with 16 power iterations, which is faster for large models. Both are
     * exported as plain LoRA of twice the rank, as PEFT converts them. `loftq`: the best increment to the rounded weight of `base_dtype: int4`.
     */
    init_lora_weights: z
      .union([z.literal(true), z.enum(['pissa', 'loftq']), z.string().regex(/^pissa_niter_[1-9]\d?$/)])
      .default(true),
    /**
     * Bits and rounds of LoftQ. With more rounds, the rounded weight would change, and the adapter would need its
     * own base model.
     */
    loftq_config: z
      .strictObject({
        /** Bits of the base's weights. */
        loftq_bits: z.literal(4).default(4),
        /** Number of rounds. Each round rounds the weight and fits the increment. */
        loftq_iter: z
          .literal(1, { error: 'expected 1, because more rounds would change the int4 weights themselves' })
          .default(1),
      })
      .optional(),
    /** DoRA: LoRA changes only the direction of each row of the weight. A trained magnitude changes its length. */
    use_dora: z.boolean().default(false),
    /** LoRA+: learning rate of B and of vectors, as a multiple of `learning_rate`. Default: 1. The paper recommends 16. */
    loraplus_lr_ratio: z.number().positive().optional(),
    /** Weight of the orthogonality term of A and B (the paper's LoRA + R). Default: 0. */
    orth_reg_weight: z.number().min(0).optional(),
    /** Orthogonality term: cosines (default, as in the paper's code) or equation 4 of the paper. */
    orthogonality: z.enum(['cosine', 'sum-squared']).optional(),
  })
  .refine((config) => !Object(config).use_rslora || Object(config).scale !== 'standard', {
    path: ['scale'],
    error: 'expected rslora with use_rslora: true',
    when: () => true,
  })
  .refine(
    ({ orthogonality, orth_reg_weight }) => orthogonality === undefined || orth_reg_weight !== undefined,
    {
      path: ['orthogonality'],
      error: 'requires orth_reg_weight',
    },
  )
  .refine(
    ({ r, rank_pattern, orth_reg_weight = 0, orthogonality }) =>
      orth_reg_weight === 0 ||
      orthogonality === 'sum-squared' ||
      Math.max(r, largest(Object.values(rank_pattern))) > 1,
    {
      path: ['orth_reg_weight'],
      error: 'requires a rank above 1',
    },
  )
  .superRefine((config, context) => {
    const [first, ...others] = Object.entries(EXCLUSIVE).filter(
      ([key, off]) => config[key as keyof typeof EXCLUSIVE] !== off,
    );
    const isStartedDora = weightStart(config.init_lora_weights) && config.use_dora && others.length === 1;
    for (const [key] of isStartedDora ? [] : others)
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `cannot be combined with ${first![0]}`,
      });
  })
  .refine(({ init_lora_weights: init, loftq_config }) => loftq_config === undefined || init === 'loftq', {
    path: ['loftq_config'],
    error: 'requires init_lora_weights: loftq',
  });

export type LoraConfig = z.infer<typeof loraConfigSchema>;
