import { z } from 'zod';
import { rank } from '../shared/rank.ts';

const SHARE = /^(100|\d{1,2}(\.\d+)?) ?%$/;
const SIZE = /^\d+(\.\d+)? ?([kMG]i?)?B$/i;

const count = z.int().min(1);
const parameters = z.union([count, z.string().regex(SHARE, 'expected a share of the model like 0.32%')], {
  error: 'expected a count from 1 or a share of the model like 0.32%',
});
const bytes = z.union([count, z.string().regex(SIZE, 'expected a size like 1.2 MB')], {
  error: 'expected a count of bytes from 1 or a size like 1.2 MB',
});

/**
 * The budget in four units, at the end and at the start: at most one key of each. What is kept in the end costs no more than
 * the target, and as much as whole components allow.
 */
export const budgetShape = {
  /** Mean rank in the end; may be a fraction. PEFT's default, 8, where no target is given. */
  target_r: z.number().positive().optional(),
  /**
   * Rank of every module at the start; it also sets the scale, `lora_alpha / init_r`, for ever. Where nothing is said of
   * the start: 1.5 times the mean rank in the end, rounded up.
   */
  init_r: rank.optional(),
  /** Triplets (or doublets) in all, the paper's b(T); at the start, rounded up to a whole rank for every module. */
  target_budget: count.optional(),
  /** The same at the start. */
  init_budget: count.optional(),
  /** Trained numbers in the adapter, λ and the head apart, as the paper counts them: a count, or a share of the model's. */
  target_parameters: parameters.optional(),
  /** The same at the start. */
  init_parameters: parameters.optional(),
  /** Bytes of `adapter_model.safetensors`, whole: header and head are in them. `1.2 MB` are 1,200,000. */
  target_bytes: bytes.optional(),
  /** The same at the start. */
  init_bytes: bytes.optional(),
};

export type BudgetConfig = z.output<z.ZodObject<typeof budgetShape>>;
export type BudgetKey = keyof BudgetConfig;

const UNITS = ['r', 'budget', 'parameters', 'bytes'] as const;
export const TARGET_KEYS = UNITS.map((unit) => `target_${unit}` as const);
export const INITIAL_KEYS = UNITS.map((unit) => `init_${unit}` as const);

/** What says how much is trained; the scale of an increment goes by both lora_alpha and the first rank. */
export const BUDGET_KEYS: readonly string[] = [...TARGET_KEYS, ...INITIAL_KEYS, 'lora_alpha'];

/** The key of a list that a config has, and its value. */
export function givenBudget(
  config: BudgetConfig,
  keys: readonly BudgetKey[],
): { key: BudgetKey; value: number | string } | undefined {
  for (const key of keys) {
    const value = config[key];
    if (value !== undefined) return { key, value };
  }
  return undefined;
}

/** The other settings. */
export function withoutBudget<Config extends BudgetConfig>(config: Config): Omit<Config, BudgetKey> {
  const keys: readonly string[] = [...TARGET_KEYS, ...INITIAL_KEYS];
  return Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key))) as Omit<
    Config,
    BudgetKey
  >;
}
