import type { z } from 'zod';
import {
  type BudgetConfig,
  type BudgetKey,
  type budgetShape,
  givenBudget,
  INITIAL_KEYS,
  TARGET_KEYS,
} from './budget-shape.ts';

/** PEFT's default. */
const TARGET_R = 8;
/** The paper's ratio b(0) / b(T). */
export const INITIAL_OVER_TARGET = 1.5;

/**
 * Extends a schema with the keys of the budget. Two budgets at once are rejected. Defaults that do not depend on the
 * model are filled in.
 */
export function oneBudget<Schema extends z.ZodObject<typeof budgetShape>>(schema: Schema): Schema {
  const checked = [TARGET_KEYS, INITIAL_KEYS].reduce(oneOf, schema);
  return checked.overwrite((config) => inOrder(schema, withDefaults(config)) as z.output<Schema>);
}

function oneOf<Schema extends z.ZodObject>(schema: Schema, keys: readonly BudgetKey[]): Schema {
  return keys.reduce((before, key, i) => {
    const earlier = (config: unknown) => keys.slice(0, i).find((other) => has(config, other));
    return before.refine((config) => !has(config, key) || earlier(config) === undefined, {
      path: [key],
      error: ({ input }) => `cannot be combined with ${earlier(input)}`,
      // Runs even if other keys are invalid, so that one message reports all errors.
      when: () => true,
    });
  }, schema);
}

function has(config: unknown, key: string): boolean {
  return (Object(config) as Record<string, unknown>)[key] !== undefined;
}

function withDefaults<Config extends BudgetConfig>(config: Config): Config {
  const target = givenBudget(config, TARGET_KEYS) ? {} : { target_r: TARGET_R };
  const filled = { ...config, ...target };
  const { target_r } = filled;
  if (target_r === undefined || givenBudget(filled, INITIAL_KEYS)) return filled;
  return { ...filled, init_r: initialRank(target_r) };
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
