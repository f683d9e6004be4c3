import { type Document, isScalar, parse, parseAllDocuments, parseDocument } from 'yaml';
import { z } from 'zod';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../methods/tuners/registry.ts';
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

/** The user's choices for a recipe. */
interface RecipeChoice {
  /** Default: the recipe's own method. */
  method?: string;
  /** The name of a budget level. Default: the level in the recipe's config. */
  budget?: string;
}

/**
 * Returns the config of a recipe for a method at a budget level: a commented YAML file without the sections of other
 * methods.
 *
 * @throws UserError for an unknown method or level
 */
export function recipeConfig(recipe: Recipe, budgets: RecipeRates, choice: RecipeChoice): string {
  return configDocument(recipe, budgets, choice).toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Like {@link recipeConfig}, but returns values instead of a text, without the folder of the run. */
export function recipeValues(
  recipe: Recipe,
  budgets: RecipeRates,
  choice: RecipeChoice,
): Record<string, unknown> {
  const { output: _, ...values } = configDocument(recipe, budgets, choice).toJS() as Record<string, unknown>;
  return values;
}

/** The settings of a method at a budget level of a recipe, by dotted keys. */
export function levelSettings({ levels }: Recipe, method: string, level: string): Record<string, unknown> {
  const settings = Object.entries(levels[level]?.[method] ?? {});
  return Object.fromEntries(settings.map(([key, value]) => [`${method}.${key}`, value]));
}

/** The methods that have a recipe's learning rate. For others, except the recipe's own, the method's default is used. */
type RecipeRates = Pick<Budgets, 'same_learning_rate'>;

function configDocument(
  recipe: Recipe,
  { same_learning_rate }: RecipeRates,
  { method = recipe.method, budget }: RecipeChoice,
): Document {
  if (!isMethod(method)) throw makeUnknownError('--method', 'a method', method, METHOD_NAMES);
  if (budget !== undefined) assertLevel(recipe, method, budget);
  const document = parseDocument(recipe.config);
  document.set('method', method);
  document.set('output', [document.get('output'), ...differences(recipe, method, budget)].join('-'));
  for (const other of METHOD_NAMES) if (other !== method) document.delete(other);
  const settings = budget === undefined ? {} : levelSettings(recipe, method, budget);
  for (const [key, value] of Object.entries(settings)) {
    const path = key.split('.');
    document.setIn(path, value);
    const node = document.getIn(path, true);
    if (!isScalar(node)) continue;
    const scripts = recipe.scripts[`${budget}`]?.[key];
    if (scripts !== undefined) node.comment = ` released scripts: ${scripts}`;
  }
  if (method !== recipe.method && !same_learning_rate.includes(method))
    document.deleteIn(['training', 'learning_rate']);
  if (methodNamed(method).config && !document.has(method)) {
    const section = document.createPair(document.createNode(method), {});
    section.key.commentBefore = " The method's defaults: the recipe has none for it.";
    document.add(section);
  }
  return document;
}

function assertLevel(recipe: Recipe, method: string, budget: string): void {
  const level = recipe.levels[budget];
  if (!level)
    throw makeUnknownError('--budget', `a level of ${recipe.name}`, budget, Object.keys(recipe.levels));
  if (level[method]) return;
  const having = Object.keys(recipe.levels).filter((name) => recipe.levels[name]![method]);
  throw makeUnknownError('--budget', `a level of ${method} in ${recipe.name}`, budget, having);
}

function isMethod(name: string): name is MethodName {
  return (METHOD_NAMES as readonly string[]).includes(name);
}

/** Suffixes of the run's folder. They keep the folders of a recipe's runs apart. */
function differences(recipe: Recipe, method: string, budget: string | undefined): string[] {
  return [
    ...(method === recipe.method ? [] : [method]),
    ...(budget === undefined ? [] : [budget.replace('%', '')]),
  ];
}

function makeUnknownError(key: string, expected: string, got: string, known: readonly string[]): UserError {
  const hint = known.length > 0 ? suggest(got, known) : 'It has none: leave --budget out.';
  return new UserError({ key, expected, got, hint });
}
