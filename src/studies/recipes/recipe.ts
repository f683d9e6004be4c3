import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { TASK_NAMES, type TaskName } from '../../tasks/registry.ts';

const headSchema = z.strictObject({
  title: z.string(),
  /** Number of training rows in the paper's dataset. It determines the number of steps. */
  rows: z.int().positive().optional(),
  /** Whether a row may become several examples. */
  splits_rows: z.boolean().default(false),
  /** Its scores in the paper's tables, by their names in adalora. */
  scores: z.array(z.string()).default([]),
  /** Values in the paper's released scripts that differ from the paper, by level and then by dotted key. */
  scripts: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

/** The values of a method's section, by level and then by method. */
const levels = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())));

const budgetsSchema = z.strictObject({
  /** Learning rates from which every method may choose. */
  learning_rates: z.array(z.number()),
  /** The methods that use the recipe's learning rate. */
  same_learning_rate: z.array(z.string()),
  /** By model id: the matrices that AdaLoRA adapts in the model, and the levels. */
  models: z.record(
    z.string(),
    z.strictObject({ model_type: z.string(), matrices: z.int().positive(), levels }),
  ),
});

/** The values that a recipe's config must set. */
const chosen = z.object({ model: z.string(), task: z.enum(TASK_NAMES), method: z.string() });

/** The paper's budget levels. */
export type Budgets = z.output<typeof budgetsSchema>;

/** An experiment of the paper, or a recipe for another model: a description and a config. */
export interface Recipe extends z.output<typeof headSchema> {
  /** Such as `glue/mnli`. */
  name: string;
  /** The model's id on the Hub. */
  model: string;
  task: TaskName;
  method: string;
  /** The run's config, a commented YAML file. */
  config: string;
  /** The values of each budget level, by level and then by method. */
  levels: z.output<typeof levels>;
}

/**
 * Returns the recipe with a name.
 *
 * @param where where the name is, for messages
 * @throws UserError for an unknown name, with the nearest names
 */
export function recipeNamed(name: string, recipes: readonly Recipe[], where: string): Recipe {
  const match = recipes.find((recipe) => recipe.name === name);
  if (match) return match;
  const hint = suggest(
    name,
    recipes.map((recipe) => recipe.name),
  );
  throw new UserError({ where, fault: `names ${name}, which is not a recipe`, hint });
}

/** Parses the budget levels. They are part of the package, so invalid levels are a bug. */
export function parseBudgets(text: string): Budgets {
  return budgetsSchema.parse(parse(text));
}

/** Parses a recipe's file: two YAML documents, a description and a config. An invalid recipe is a bug. */
export function parseRecipe(name: string, text: string, { models }: Budgets): Recipe {
  const [head, config] = parseAllDocuments(text);
  const named = chosen.parse(config!.toJS());
  const source = text.slice(text.indexOf('\n---\n') + '\n---\n'.length);
  return {
    ...headSchema.parse(head!.toJS()),
    ...named,
    name,
    config: source,
    levels: models[named.model]?.levels ?? {},
  };
}
