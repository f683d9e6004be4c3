import { z } from 'zod';
import { titleOf } from '../../../methods/tuners/method-definition.ts';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../../methods/tuners/registry.ts';
import { DEFAULT_TASK } from '../../../tasks/registry.ts';

const column = z.union([z.string(), z.number()]);

/** The part of a run's config that a report interprets. It only displays the rest. */
const runFactsSchema = z.looseObject({
  model: z.string(),
  task: z.string().default(DEFAULT_TASK),
  method: z.custom<MethodName>((name) => METHOD_NAMES.some((known) => known === name)),
  data: z.looseObject({
    dataset: z.string().optional(),
    subset: z.string().optional(),
    train: z.union([z.string(), z.array(z.string())]),
    validation: z.unknown().optional(),
    text_pair: column.optional(),
  }),
  training: z.looseObject({
    per_device_train_batch_size: z.number().optional(),
    gradient_accumulation_steps: z.number().optional(),
    metric_for_best_model: z.string().optional(),
  }),
  base_dtype: z.string().default('float32'),
  seed: z.number().default(0),
  output: z.string().default(''),
});

export type RunSummary = z.output<typeof runFactsSchema>;

/** Parses a resolved config for a report. Returns undefined if it is invalid. */
export function summarizeRun(config: unknown): RunSummary | undefined {
  return runFactsSchema.safeParse(config).data;
}

/** The display name of a run's method. */
export function methodTitle(facts: RunSummary): string {
  return titleOf(methodNamed(facts.method).words, methodSettings(facts));
}

/** One word for the unit of the ranks of some methods. Methods are given by their names in a config. */
export function componentsOf(methods: readonly string[]): string {
  const words = new Set(
    METHOD_NAMES.filter((name) => methods.includes(name)).map((name) => methodNamed(name).words.components),
  );
  words.delete(undefined);
  return words.size > 1 ? 'components' : ([...words][0] ?? 'triplets');
}

/** The settings of a run's method. Runs of other versions may lack some keys. */
export function methodSettings(facts: RunSummary): Readonly<Record<string, unknown>> {
  return { ...(facts[facts.method] as object | undefined) };
}
