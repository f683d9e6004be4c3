import { z } from 'zod';
import { adapterSize } from '../../../input/formats/adapters/adapter-bytes.ts';
import {
  type AdapterTensors,
  PEFT_PREFIX,
  type StoredAdapter,
} from '../../../input/formats/adapters/stored-adapter.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import {
  isRedundant,
  layoutName,
  PEFT_VERSION,
  type PeftFiles,
  peftSettings,
  storedForms,
} from '../peft/peft-files.ts';
import { fileSchema, rank, targetShape } from '../peft/settings.ts';
import { FACTOR_PARTS, factorName, parseFactor } from './factors.ts';
import { INERT_DEFAULTS, refuseUnsupported } from './unsupported.ts';

/** Settings that LoRA and AdaLoRA share: PEFT's keys, meanings and defaults. Spread it into a strict object. */
export const adapterConfigShape = {
  ...targetShape,
  /** Scale of the increment: `lora_alpha` divided by the rank. */
  lora_alpha: z.number().positive().default(8),
  /** Dropout on the input of the increments. */
  lora_dropout: z.number().min(0).lt(1).default(0),
  /** Biases to train: none, those of the adapted layers, or all. */
  bias: z.enum(['none', 'lora_only', 'all']).default('none'),
};

/** The key for the scale of a module's increment. PEFT's key is `use_rslora`, which LoRA accepts too. */
export const scaleShape = {
  /**
   * `standard`: alpha / r, with the initial rank. `rslora`: alpha / √r (Kalajdzievski, 2023, arXiv 2312.03732), which keeps
   * the size of activations and gradients at high ranks.
   */
  scale: z.enum(['standard', 'rslora']).default('standard'),
};

export type ScaleConfig = z.output<z.ZodObject<typeof scaleShape>>;

export type AdapterSettings = z.output<z.ZodObject<typeof adapterConfigShape>>;

const count = z.int().nonnegative();

/** The settings of a file. Values that no run can train with may still be read. */
function lowRankSchema<Type extends string, More extends z.ZodRawShape>(type: Type, more: More) {
  return fileSchema(adapterConfigShape, {
    peft_type: z.literal(type),
    lora_alpha: z.number().default(8),
    lora_dropout: z.number().min(0).max(1).default(0),
    use_rslora: z.boolean().default(false),
    init_lora_weights: z.union([z.boolean(), z.string()]).default(true),
    alpha_pattern: createPatternSchema(z.number()),
    /** Not used by AdaLoRA; PEFT writes its default. */
    r: rank.default(8),
    ...more,
  });
}

const loraConfig = lowRankSchema('LORA', {
  /** Whether modules have a magnitude (DoRA). */
  use_dora: z.boolean().default(false),
  rank_pattern: createPatternSchema(rank),
});

const adaLoraConfig = lowRankSchema('ADALORA', {
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

const COMMON = { parts: FACTOR_PARTS, inert: INERT_DEFAULTS, refuse: refuseUnsupported };

/** PEFT's files of pairs of factors, with DoRA's magnitude or without. Factors are modules there, with a weight. */
export const LORA_FILES: PeftFiles<LoraAdapterConfig> = {
  ...COMMON,
  peftType: 'LORA',
  schema: loraConfig,
  stored({ name, shape }) {
    const factor = parseFactor(name)?.factor;
    return { name: factor === 'A' || factor === 'B' ? `${name}.weight` : name, shape };
  },
};

/** PEFT's files of triplets. λ is a column there. */
export const ADALORA_FILES: PeftFiles<AdaLoraAdapterConfig> = {
  ...COMMON,
  peftType: 'ADALORA',
  schema: adaLoraConfig,
  stored: ({ name, shape }) => ({ name, shape: parseFactor(name)?.factor === 'E' ? [...shape, 1] : shape }),
};

/** PEFT's files of low-rank adapters, by `peft_type`. */
export const LOW_RANK_FILES = { LORA: LORA_FILES, ADALORA: ADALORA_FILES } as const;
export type PeftType = keyof typeof LOW_RANK_FILES;

/**
 * Checks the content of an `adapter_config.json` and fills in PEFT's defaults.
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
      code: 'unsupported',
    });
  }
  const config = value as Record<string, unknown>;
  return peftSettings<PeftAdapterConfig>(LOW_RANK_FILES[type], { config }, where);
}

/** Older PEFT versions write null for an empty pattern. */
function createPatternSchema<T extends z.ZodType>(value: T) {
  return z.preprocess((pattern) => pattern ?? {}, z.record(z.string(), value)).default({});
}

/**
 * Returns a function that computes the size of an adapter's tensor file from the modules' ranks, including the header and
 * fully saved modules. Modules of rank 0 are not in the file, because PEFT has no LoRA of rank 0.
 */
export function storedSize(
  modules: readonly LinearModule[],
  saved: readonly TrainedParameter[],
  kind: PeftType,
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

/** The file's key of a trained tensor. */
export function adapterKey(name: string, kind: PeftType, isAdapted: (path: string) => boolean): string {
  const [form] = storedForms(LOW_RANK_FILES[kind], [{ name, shape: [1] }], isAdapted);
  return form!.key;
}

/**
 * adalora's name of the trained tensor with this key: a factor of a module, or a full parameter. Undefined for tensors
 * that PEFT saves redundantly.
 */
export function parseAdapterKey(key: string): string | undefined {
  return isRedundant(key) ? undefined : layoutName(COMMON, key.slice(PEFT_PREFIX.length));
}

/** A low-rank adapter as stored in PEFT's files, with checked settings. */
export interface PeftAdapter {
  config: PeftAdapterConfig;
  tensors: AdapterTensors;
}

/**
 * Checks the settings of a stored adapter.
 *
 * @throws UserError that lists every invalid key, or names an unsupported setting
 */
export function peftAdapter({ config, tensors }: StoredAdapter, where: string): PeftAdapter {
  return { config: parseAdapterConfig(config, where), tensors };
}

/** Returns the adapter with every key that PEFT writes. */
export function asStored({ config, tensors }: PeftAdapter): StoredAdapter {
  return {
    config: { ...INERT_DEFAULTS, peft_version: PEFT_VERSION, ...config },
    tensors,
    baseModel: config.base_model_name_or_path,
  };
}
