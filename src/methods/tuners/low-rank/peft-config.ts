import { z } from 'zod';
import {
  type AdapterTensors,
  PEFT_PREFIX,
  type StoredAdapter,
} from '../../../input/formats/adapters/stored-adapter.ts';
import { UserError } from '../../../support/user-error.ts';
import {
  isRedundant,
  layoutName,
  PEFT_VERSION,
  type PeftFiles,
  peftSettings,
  storedForms,
} from '../peft/peft-files.ts';
import { fileSchema, rank, targetShape } from '../peft/settings.ts';
import { FACTOR_PARTS, parseFactor } from './factors.ts';

/**
 * PEFT's settings that are not supported, with the values that mean "off". Adapters are written with all of them,
 * because PEFT expects its keys. Any other value in a file is rejected, because ignoring it would silently change the
 * result.
 */
const INERT_DEFAULTS = {
  alora_invocation_tokens: null,
  arrow_config: null,
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  kasa_config: null,
  layer_replication: null,
  loftq_config: {},
  lora_bias: false,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: 'megatron.core',
  monteclora_config: null,
  qalora_group_size: 16,
  target_parameters: null,
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  velora_config: null,
} as const;

/**
 * Keys without an effect of their own. They refine `megatron_config`, `use_qalora` or `init_lora_weights`. PEFT keeps
 * those of an initialization when it converts the adapter to plain LoRA.
 */
const HARMLESS = [
  'megatron_core',
  'qalora_group_size',
  'eva_config',
  'corda_config',
  'lora_ga_config',
  'loftq_config',
];

/** Initializations that do not change the base weights. */
const INITS = [true, false, 'gaussian', 'orthogonal', 'eva', 'mica'];
/** Initializations that change the base weights and can be computed again from them. */
const WEIGHT_STARTS = ['pissa'];
const CONVERT =
  'Save the adapter as plain LoRA in PEFT: save_pretrained with path_initial_model_for_weight_conversion.';

/**
 * Checks that no setting of `config` that changes the mathematics is unsupported.
 *
 * @throws UserError that names the first unsupported setting
 */
function refuseUnsupported(config: Record<string, unknown>, where: string): void {
  for (const key of Object.keys(INERT_DEFAULTS)) {
    const value = config[key];
    if (isOff(value) || HARMLESS.includes(key) || (key === 'use_dora' && config.peft_type === 'LORA'))
      continue;
    throw new UserError({
      where: `${where}: ${key}`,
      fault: `is not supported, got ${JSON.stringify(value).slice(0, 80)}`,
      hint: 'Train the adapter without it.',
      code: 'unsupported',
    });
  }
  const init = config.init_lora_weights ?? true;
  const known = config.peft_type === 'LORA' ? [...INITS, ...WEIGHT_STARTS] : INITS;
  if (known.includes(init as string)) return;
  if (init === 'loftq') {
    const { loftq_iter: rounds = 1 } = Object(config.loftq_config) as { loftq_iter?: number };
    throw new UserError({
      where: `${where}: init_lora_weights`,
      fault: `"loftq" rounds the base weights (loftq_iter: ${rounds}), and this file does not contain the rounded weights`,
      hint: 'Save the model that PEFT has rounded, name it as base_model_name_or_path, and set init_lora_weights to true.',
      code: 'unsupported',
    });
  }
  throw new UserError({
    where: `${where}: init_lora_weights`,
    fault: `must be one of ${known.join(', ')}, got ${JSON.stringify(init)}`,
    hint: `Other starts change the base weights. ${CONVERT}`,
    code: 'unsupported',
  });
}

function isOff(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false;
}

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
