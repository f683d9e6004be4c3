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
 * The budget in four units, at the end and at the start: at most one key for each. The final cost never exceeds the
 * target, and comes as close as whole components allow.
 */
export const budgetShape = {
  /** Final mean rank; may be a fraction. Without a target, PEFT's default, 8. */
  target_r: z.number().positive().optional(),
  /**
   * Initial rank of every module; it also sets the scale `lora_alpha / init_r` for the whole run. Default: 1.5 times
   * the final mean rank, rounded up.
   */
  init_r: rank.optional(),
  /** Triplets (or doublets) in all, the paper's b(T). */
  target_budget: count.optional(),
  /** Triplets (or doublets) at the start, rounded up to a whole rank for every module. */
  init_budget: count.optional(),
  /**
   * Trained parameters of the adapter, without λ and the head, as the paper counts them: a count, or a share of the
   * model's.
   */
  target_parameters: parameters.optional(),
  /** Trained parameters of the adapter at the start. */
  init_parameters: parameters.optional(),
  /** Size of the whole `adapter_model.safetensors` in bytes, header and head included. `1.2 MB` is 1,200,000. */
  target_bytes: bytes.optional(),
  /** Size of `adapter_model.safetensors` at the start. */
  init_bytes: bytes.optional(),
};

export type BudgetConfig = z.output<z.ZodObject<typeof budgetShape>>;
export type BudgetKey = keyof BudgetConfig;

const UNITS = ['r', 'budget', 'parameters', 'bytes'] as const;
export const TARGET_KEYS = UNITS.map((unit) => `target_${unit}` as const);
export const INITIAL_KEYS = UNITS.map((unit) => `init_${unit}` as const);

/**
 * Keys that set how much is trained. lora_alpha is one of them: the scale of an increment depends on it and on the
 * initial rank.
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
