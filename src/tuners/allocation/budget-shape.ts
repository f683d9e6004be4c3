import { z } from 'zod';
import { rank } from '../shared/rank.ts';

const SHARE = /^(100|\d{1,2}(\.\d+)?) ?%$/;
const SIZE = /^\d+(\.\d+)? ?([kMG]i?)?B$/i;

const count = z.int().min(1);
const parameters = z.union([count, z.string().regex(SHARE, 'expected a share of the model such as 0.32%')], {
  error: 'expected a whole number from 1, or a share of the model such as 0.32%',
});
const bytes = z.union([count, z.string().regex(SIZE, 'expected a size such as 1.2 MB')], {
  error: 'expected a number of bytes, or a size such as 1.2 MB',
});

/**
 * The final and the initial budget, each in one of four units. A config sets at most one key of each. The final adapter
 * uses as much of the target as whole components allow, and never exceeds it.
 */
export const budgetShape = {
  /** Final mean rank. May be a fraction. Default: 8, as in PEFT, if no other target is set. */
  target_r: z.number().positive().optional(),
  /** Initial rank of every module. Also sets the scale, `lora_alpha / init_r`. Default: 1.5 times the final mean rank. */
  init_r: rank.optional(),
  /** Final number of triplets (or doublets) of all modules, the paper's b(T). */
  target_budget: count.optional(),
  /** Initial number of triplets, rounded up to a whole rank for every module. */
  init_budget: count.optional(),
  /** Final number of trained parameters without λ and head, as in the paper: a number, or a share of the model. */
  target_parameters: parameters.optional(),
  /** Initial number of trained parameters: a number, or a share of the model. */
  init_parameters: parameters.optional(),
  /** Final size of `adapter_model.safetensors`, header and head included. `1.2 MB` is 1,200,000 bytes. */
  target_bytes: bytes.optional(),
  /** Initial size of the same file. */
  init_bytes: bytes.optional(),
};

export type BudgetConfig = z.output<z.ZodObject<typeof budgetShape>>;
export type BudgetKey = keyof BudgetConfig;

const UNITS = ['r', 'budget', 'parameters', 'bytes'] as const;
export const TARGET_KEYS = UNITS.map((unit) => `target_${unit}` as const);
export const INITIAL_KEYS = UNITS.map((unit) => `init_${unit}` as const);

/**
 * Keys that control how many parameters are trained. They include lora_alpha, because the scale of an increment depends
 * on it and on the initial rank.
 */
export const BUDGET_KEYS: readonly string[] = [...TARGET_KEYS, ...INITIAL_KEYS, 'lora_alpha'];

/** The first of these keys that a config sets, and its value. */
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

/** The settings without the keys of the budget. */
export function withoutBudget<Config extends BudgetConfig>(config: Config): Omit<Config, BudgetKey> {
  const keys: readonly string[] = [...TARGET_KEYS, ...INITIAL_KEYS];
  return Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key))) as Omit<
    Config,
    BudgetKey
  >;
}
