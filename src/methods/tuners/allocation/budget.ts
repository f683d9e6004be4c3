import { z } from 'zod';
import { rank } from '../peft/settings.ts';

/** The units that are kept or dropped: triplets (λ with its vectors), or doublets (a row of A with a column of B). */
export type Components = 'triplets' | 'doublets';

/** The units in which a budget is exact. A component is a triplet or a doublet. */
export type BudgetUnit = 'components' | 'parameters';

/** A budget in each unit. */
export interface BudgetForms {
  /** As a mean rank. */
  rank: number;
  /** As a number of triplets or doublets. */
  components: number;
  parameters: number;
}

const EXAMPLES = '0.32%, 331776 parameters or 576 triplets';
const SHARE = /^(100|\d{1,2}(\.\d+)?) ?%$/;
const COUNT = /^([1-9]\d*) ?(parameters|triplets|doublets)$/;
const amount = z.union(
  [z.number().positive(), z.string().refine((text) => [SHARE, COUNT].some((form) => form.test(text)))],
  { error: `expected a mean rank such as 8, or an amount such as ${EXAMPLES}` },
);

/**
 * The final and the initial budget. A config sets at most one key of each. The final adapter uses as much of the target
 * as whole components allow, and never exceeds it.
 */
export const budgetShape = {
  /** Final mean rank. May be a fraction. Default: 8, as in PEFT, if `target` is not set. */
  target_r: z.number().positive().optional(),
  /** Initial rank of every module. Also sets the scale, `lora_alpha / init_r`. Default: 1.5 times the final mean rank. */
  init_r: rank.optional(),
  /**
   * Final budget: a mean rank, `0.32%` of the model's parameters or `331776 parameters` (without λ and head, as in the
   * paper), or `576 triplets` of all modules (the paper's b(T); `doublets` for pairs).
   */
  target: amount.optional(),
  /** Initial budget, in the same forms. It is rounded up to a whole rank of every module. */
  start: amount.optional(),
};

export type BudgetConfig = z.output<z.ZodObject<typeof budgetShape>>;
export type BudgetKey = keyof BudgetConfig;

export const TARGET_KEYS = ['target_r', 'target'] as const;
export const INITIAL_KEYS = ['init_r', 'start'] as const;

/**
 * Keys that control how many parameters are trained. They include lora_alpha, because the scale of an increment depends
 * on it and on the initial rank.
 */
export const BUDGET_KEYS: readonly string[] = [...TARGET_KEYS, ...INITIAL_KEYS, 'lora_alpha'];

/** A budget's key in a config and its value. A number is a mean rank. */
export interface GivenBudget {
  key: BudgetKey;
  value: number | string;
}

/** The first of these keys that a config sets, and its value. */
export function givenBudget(config: BudgetConfig, keys: readonly BudgetKey[]): GivenBudget | undefined {
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

/** PEFT's default. */
const TARGET_R = 8;
/** The paper's ratio b(0) / b(T). */
export const INITIAL_OVER_TARGET = 1.5;

/**
 * Extends a schema with the keys of the budget. Two budgets at once are rejected. Defaults that do not depend on the
 * model are filled in.
 */
export function oneBudget<Schema extends z.ZodObject<typeof budgetShape>>(schema: Schema): Schema {
  const checked = [TARGET_KEYS, INITIAL_KEYS].reduce(requireOne, schema);
  return checked.overwrite((config) => inOrder(schema, withDefaults(config)) as z.output<Schema>);
}

function requireOne<Schema extends z.ZodObject>(
  schema: Schema,
  [first, second]: readonly BudgetKey[],
): Schema {
  const has = (config: unknown, key: BudgetKey) =>
    (Object(config) as Record<string, unknown>)[key] !== undefined;
  return schema.refine((config) => !has(config, first!) || !has(config, second!), {
    path: [second!],
    error: `cannot be combined with ${first}`,
    // Runs even if other keys are invalid, so that one message reports all errors.
    when: () => true,
  });
}

function withDefaults<Config extends BudgetConfig>(config: Config): Config {
  const filled = { ...config, ...(givenBudget(config, TARGET_KEYS) ? {} : { target_r: TARGET_R }) };
  const mean = givenBudget(filled, TARGET_KEYS)?.value;
  if (typeof mean !== 'number' || givenBudget(filled, INITIAL_KEYS)) return filled;
  return { ...filled, init_r: initialRank(mean) };
}

/** The default rank of every module at the start. */
export function initialRank(meanTarget: number): number {
  // In floating point, 1.5 · 0.1 · 20 is slightly above 3.
  return Math.max(1, Math.ceil(INITIAL_OVER_TARGET * meanTarget - 1e-9));
}

/** Sorts keys as in the schema, because a checkpoint's fingerprint depends on their order. */
function inOrder(schema: z.ZodObject, config: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(schema.shape).flatMap((key) => (key in config ? [[key, config[key]]] : [])),
  );
}

/** The unit of a budget. */
export function readUnit({ value }: GivenBudget): BudgetUnit {
  if (typeof value === 'number') return 'components';
  return SHARE.test(value) || value.endsWith('parameters') ? 'parameters' : 'components';
}

/** An amount in its unit, not rounded, and its derivation in words. */
export interface Amount {
  amount: number;
  text: string;
}

/** Converts a budget, as its schema returns it, to its unit. */
export function inUnit(
  given: GivenBudget,
  {
    matrices,
    modelParameters,
    components,
  }: { matrices: number; modelParameters: number; components: string },
): Amount {
  const { key, value } = given;
  const unit = readUnit(given);
  const of = (amount: number, by: string): Amount => {
    // In floating point, a share of exactly 23 may become 22.999999999999996.
    const clean = Number(amount.toPrecision(12));
    const isSame = clean === value || COUNT.test(`${value}`);
    const derived = ` is ${clean.toLocaleString('en')} ${unit === 'components' ? components : unit}`;
    return { amount: clean, text: `${key} ${value}${isSame ? '' : `${by}${derived}`}` };
  };
  if (typeof value === 'number') return of(value * matrices, ` in ${matrices} matrices`);
  const number = Number.parseFloat(value);
  if (value.endsWith('%'))
    return of((number / 100) * modelParameters, ` of ${modelParameters.toLocaleString('en')} parameters`);
  return of(number, '');
}

/**
 * The budget of a method's settings in words, such as "rank 12 to 8 on average".
 */
export function budgetSummary(settings: Readonly<Record<string, unknown>>): string | undefined {
  const spoken = ({ value }: GivenBudget): string => {
    if (typeof value === 'number') return `rank ${value}`;
    return value.endsWith('%') ? `${value} of the parameters` : value;
  };
  const config = settings as BudgetConfig;
  const target = givenBudget(config, TARGET_KEYS);
  if (!target) return undefined;
  const start = givenBudget(config, INITIAL_KEYS);
  if (typeof target.value === 'number' && typeof start?.value === 'number')
    return `rank ${start.value} to ${target.value} on average`;
  return `${start ? `${spoken(start)} to ` : 'down to '}${spoken(target)}`;
}
