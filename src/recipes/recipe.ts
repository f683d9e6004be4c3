import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { TASK_NAMES, type TaskName } from '../tasks/registry.ts';

const headSchema = z.strictObject({
  title: z.string(),
  /** Training rows of the paper's data set, from which its steps follow. */
  rows: z.int().positive().optional(),
  /** Whether a row may make several examples. */
  splits_rows: z.boolean().default(false),
  /** The scores that the paper's tables have of it, by their names here. */
  scores: z.array(z.string()).default([]),
  /** By level, then by dotted key: the released scripts' value where it is another. */
  scripts: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

/** By the name of the level, then by the method: what its section has there. */
const levels = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())));

const budgetsSchema = z.strictObject({
  /** Learning rates that every method may choose from. */
  learning_rates: z.array(z.number()),
  /** The methods for which a recipe's learning rate is meant. */
  same_learning_rate: z.array(z.string()),
  /** By the model's id: the matrices that AdaLoRA adapts in it, and its levels. */
  models: z.record(
    z.string(),
    z.strictObject({ model_type: z.string(), matrices: z.int().positive(), levels }),
  ),
});

/** What a recipe's config chooses, of all that it says. */
const chosen = z.object({ model: z.string(), task: z.enum(TASK_NAMES), method: z.string() });

/** The paper's levels of budget. */
export type Budgets = z.output<typeof budgetsSchema>;

/** An experiment of the paper, or a known recipe of another model: what it is, and the config that runs it. */
export interface Recipe extends z.output<typeof headSchema> {
  /** `glue/mnli` */
  name: string;
  /** The model's id on the Hub. */
  model: string;
  task: TaskName;
  method: string;
  /** The run's config, a commented YAML file. */
  config: string;
  /** What each level of the budget sets, by its name and then by the method. */
  levels: z.output<typeof levels>;
}

/** Reads the levels of budget. They come with the package: what is wrong with them is a fault of the program. */
export function parseBudgets(text: string): Budgets {
  return budgetsSchema.parse(parse(text));
}

/** Reads a recipe's file: two YAML documents, what it is and its config. Faults are those of the program, likewise. */
export function parseRecipe(name: string, text: string, { models }: Budgets): Recipe {
  const [head, config] = parseAllDocuments(text);
  const named = chosen.parse(config.toJS());
  const source = text.slice(text.indexOf('\n---\n') + '\n---\n'.length);
  return {
    ...headSchema.parse(head.toJS()),
    ...named,
    name,
    config: source,
    levels: models[named.model]?.levels ?? {},
  };
}
