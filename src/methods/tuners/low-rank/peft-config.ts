import { z } from 'zod';
import { adapterSize } from '../../../input/formats/adapters/adapter-bytes.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import {
  commonSettings,
  exclusionSettings,
  layerSettings,
  type PeftFiles,
  peftSettings,
  storedForms,
} from '../peft/peft-files.ts';
import { rank } from '../shared/rank.ts';
import { factorName, factorOf } from './factors.ts';
import { INERT_DEFAULTS, refuseUnsupported } from './unsupported.ts';

const count = z.int().nonnegative();

/**
 * The keys that LORA and ADALORA share. Names and defaults are PEFT's (0.21), so that older files keep their meaning.
 */
const common = {
  ...commonSettings,
  ...exclusionSettings,
  ...layerSettings,
  lora_alpha: z.number().default(8),
  lora_dropout: z.number().min(0).max(1).default(0),
  use_rslora: z.boolean().default(false),
  bias: z.enum(['none', 'all', 'lora_only']).default('none'),
  init_lora_weights: z.union([z.boolean(), z.string()]).default(true),
  alpha_pattern: patternOf(z.number()),
};

const loraConfig = z.object({
  peft_type: z.literal('LORA'),
  ...common,
  r: rank.default(8),
  /** Whether modules have a magnitude (DoRA). */
  use_dora: z.boolean().default(false),
  rank_pattern: patternOf(rank),
});

const adaLoraConfig = z.object({
  peft_type: z.literal('ADALORA'),
  ...common,
  /** Not used by AdaLoRA; PEFT writes its default. */
  r: rank.default(8),
  target_r: count.default(8),
  init_r: rank.default(12),
  tinit: count.default(0),
  tfinal: count.default(0),
  deltaT: z.int().positive().default(1),
  beta1: z.number().default(0.85),
  beta2: z.number().default(0.85),
  orth_reg_weight: z.number().nonnegative().default(0.5),
  total_step: z.int().positive().nullable().default(null),
  /** `<module path>.lora_E` -> which of the initial `init_r` rows are kept. Null before ranks are final. */
  rank_pattern: z.record(z.string(), z.array(z.boolean())).nullable().default(null),
});

export type LoraAdapterConfig = z.infer<typeof loraConfig>;
export type AdaLoraAdapterConfig = z.infer<typeof adaLoraConfig>;
/** The supported settings of `adapter_config.json`. {@link parseAdapterConfig} rejects all others. */
export type PeftAdapterConfig = LoraAdapterConfig | AdaLoraAdapterConfig;
/** Like {@link PeftAdapterConfig}, but keys with a default are optional. */
export type PeftAdapterConfigInput = z.input<typeof loraConfig> | z.input<typeof adaLoraConfig>;

/** PEFT's files of pairs of factors, with DoRA's magnitude or without. Factors are modules there, with a weight. */
const LORA_FILES: PeftFiles<LoraAdapterConfig> = {
  peftType: 'LORA',
  schema: loraConfig,
  parts: ['lora_A.weight', 'lora_B.weight'],
  stored({ name, shape }) {
    const factor = factorOf(name)?.factor;
    return { name: factor === 'A' || factor === 'B' ? `${name}.weight` : name, shape };
  },
  inert: INERT_DEFAULTS,
};

/** PEFT's files of triplets. λ is a column there. */
const ADALORA_FILES: PeftFiles<AdaLoraAdapterConfig> = {
  peftType: 'ADALORA',
  schema: adaLoraConfig,
  parts: ['lora_A', 'lora_E', 'lora_B'],
  stored: ({ name, shape }) => ({ name, shape: factorOf(name)?.factor === 'E' ? [...shape, 1] : shape }),
  inert: INERT_DEFAULTS,
};

/** PEFT's files of low-rank adapters, by `peft_type`. */
export const LOW_RANK_FILES = { LORA: LORA_FILES, ADALORA: ADALORA_FILES } as const;

/**
 * Checks the content of an `adapter_config.json` and fills in PEFT's defaults. Unknown keys are dropped, as in PEFT.
 *
 * @param where the file's name in messages
 * @throws UserError that lists every invalid key, or names an unsupported setting that would change the result
 */
export function parseAdapterConfig(value: unknown, where: string): PeftAdapterConfig {
  const type = (value as { peft_type?: unknown } | null | undefined)?.peft_type;
  if (type !== 'LORA' && type !== 'ADALORA') {
    throw new UserError({
      where: `${where}: peft_type`,
      fault: `must be "LORA" or "ADALORA", got ${JSON.stringify(type) ?? 'nothing'}`,
    });
  }
  const config = value as Record<string, unknown>;
  const settings = peftSettings<PeftAdapterConfig>(LOW_RANK_FILES[type], { config }, where);
  refuseUnsupported(config, where);
  return settings;
}

/** Older PEFT versions write null for an empty pattern. */
function patternOf<T extends z.ZodType>(value: T) {
  return z.preprocess((pattern) => pattern ?? {}, z.record(z.string(), value)).default({});
}

/**
 * Returns a function that computes the size of an adapter's tensor file from the modules' ranks, including the header and
 * fully saved modules. Modules of rank 0 are not in the file, because PEFT has no LoRA of rank 0.
 */
export function storedSize(
  modules: readonly LinearModule[],
  saved: readonly TrainedParameter[],
  kind: PeftAdapterConfig['peft_type'],
): (ranks: readonly number[]) => number {
  const isAdaLora = kind === 'ADALORA';
  const factors = modules.flatMap(({ path, inFeatures, outFeatures }, module) => [
    { module, name: factorName(path, 'A'), shapeAt: (rank: number) => [rank, inFeatures] },
    ...(isAdaLora ? [{ module, name: factorName(path, 'E'), shapeAt: (rank: number) => [rank, 1] }] : []),
    { module, name: factorName(path, 'B'), shapeAt: (rank: number) => [outFeatures, rank] },
  ]);
  const parameters = [...factors.map(({ name }) => ({ name, shape: [1] })), ...saved];
  const adapted = new Set(modules.map(({ path }) => path));
  const forms = storedForms(LOW_RANK_FILES[kind], parameters, (path) => adapted.has(path));
  const sizeOf = adapterSize(forms.map(({ key }) => key));
  return (ranks) =>
    sizeOf((i) => {
      const factor = factors[i];
      if (!factor) return saved[i - factors.length]!.shape;
      const rank = ranks[factor.module]!;
      return isAdaLora || rank > 0 ? factor.shapeAt(rank) : undefined;
    });
}
