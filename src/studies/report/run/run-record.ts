import { z } from 'zod';
import { formatTitle } from '../../../methods/tuners/method-definition.ts';
import { readMethodTexts } from '../../../methods/tuners/registry.ts';
import { addUp } from '../../../support/numbers.ts';
import { leaves } from '../../../support/options.ts';
import { DEFAULT_TASK } from '../../../tasks/registry.ts';
import type { ComponentHistory } from '../../../training/run/component-history.ts';
import type { EventOf, TrainEvent } from '../../../training/run/events.ts';
import { valueText } from '../format.ts';

const column = z.union([z.string(), z.number()]);

/** The part of a run's config that a report interprets. It only displays the rest. */
const runFactsSchema = z.looseObject({
  model: z.string(),
  task: z.string().default(DEFAULT_TASK),
  method: z.string(),
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
export function methodTitle(facts: { method: string }): string {
  return formatTitle(readMethodTexts(facts.method), methodSettings(facts));
}

/** One word for the unit of the ranks of some methods. Methods are given by their names in a config. */
export function describeComponents(methods: readonly string[]): string {
  const words = new Set(methods.map((name) => readMethodTexts(name).components));
  words.delete(undefined);
  return words.size > 1 ? 'components' : ([...words][0] ?? 'triplets');
}

/** The settings of a run's method. Runs of other versions may lack some keys. */
export function methodSettings(facts: {
  method: string;
  [method: string]: unknown;
}): Readonly<Record<string, unknown>> {
  return { ...(facts[facts.method] as object | undefined) };
}

/** Keys of local paths, and of values that a shared report need not contain. */
const LEFT_OUT = ['output', 'seed', 'model', 'adapter', 'data.train', 'data.validation'];

/** Every value of a config as text, by its dotted key, without paths and the seed. */
export function listSettings(facts: RunSummary): Map<string, string> {
  return new Map(listShownValues(facts).map(([key, value]) => [key, valueText(value)]));
}

/** Like {@link listValues}, without paths and the seed. */
export function listShownValues(facts: RunSummary): [string, unknown][] {
  return listValues(facts).filter(([key]) => !LEFT_OUT.includes(key));
}

/** Every value of a config, by its dotted key. A list is one value. */
function listValues(config: object): [string, unknown][] {
  return leaves(config).filter(([, value]) => value !== undefined && value !== null);
}

/** A report's data about one run: its config and its events. The events are grouped by type, in order of steps. */
export interface RunRecord {
  facts: RunSummary;
  /** The name of the run's folder; empty for an active run. */
  name: string;
  /** The last start event, with the ranks of the first one. */
  start?: EventOf<'start'>;
  steps: EventOf<'step'>[];
  evaluations: EventOf<'evaluation'>[];
  allocations: EventOf<'allocation'>[];
  orthogonality: EventOf<'orthogonality'>[];
  notices: EventOf<'notice'>[];
  /** The history of every component, if the run logged it (`training.log_importance`). */
  histories?: readonly ComponentHistory[];
  /** The confusion matrix of each evaluation. */
  confusions: EventOf<'confusion'>[];
  /** Missing while the run is active, and after it was killed. */
  finish?: EventOf<'finish'>;
  /** The scores on a test file, which had no part in training. */
  test?: EventOf<'test'>;
  /** The newest step with an event. */
  step: number;
}

/** The record of a run without events. */
export function emptyRecord(facts: RunSummary, name = ''): RunRecord {
  const lists = {
    steps: [],
    evaluations: [],
    confusions: [],
    allocations: [],
    orthogonality: [],
    notices: [],
  };
  return { facts, name, ...lists, step: 0 };
}

/** The list of a record for events of a type. */
const LISTS = {
  step: 'steps',
  evaluation: 'evaluations',
  allocation: 'allocations',
  orthogonality: 'orthogonality',
  confusion: 'confusions',
  notice: 'notices',
} as const;

/** Adds an event to a record, in place. */
export function addEvent(record: RunRecord, event: TrainEvent): void {
  record.step = Math.max(record.step, event.step);
  if (event.type === 'start') {
    // Chosen values are not known before the start event.
    if (event.training)
      record.facts = { ...record.facts, training: { ...record.facts.training, ...event.training } };
    record.start = { ...event, ranks: record.start?.ranks ?? event.ranks };
    record.finish = undefined;
  } else if (event.type === 'finish') record.finish = event;
  else if (event.type === 'test') record.test = event;
  else if (event.type in LISTS) {
    const list: TrainEvent[] = record[LISTS[event.type as keyof typeof LISTS]];
    list.push(event);
  }
}

/** Builds a run's record from its events. Some events may be missing. */
export function runRecord(facts: RunSummary, events: Iterable<TrainEvent>, name?: string): RunRecord {
  const record = emptyRecord(facts, name);
  for (const event of events) addEvent(record, event);
  return record;
}

/** The final scores by name without `eval_`: those of the finish event, otherwise those of the last evaluation. */
export function finalScores({ finish, evaluations }: RunRecord): Map<string, number> {
  const evaluation = finish && Object.keys(finish.metrics).length > 0 ? finish.metrics : evaluations.at(-1);
  return readScores(evaluation ?? {});
}

/** The confusion matrix of the model that a run kept. Before the end, it is that of the newest or the best evaluation. */
export function finalConfusion(record: RunRecord): EventOf<'confusion'> | undefined {
  const { facts, evaluations, confusions, finish } = record;
  if (finish?.confusion) return { type: 'confusion', step: finish.step, ...finish.confusion };
  if (!facts.training.load_best_model_at_end) return confusions.at(-1);
  const kept = evaluations.findLast(({ best }) => best);
  return (kept && readConfusion(record, kept)) ?? confusions[0];
}

/** The confusion matrix of an evaluation; undefined for a task without one, or with too many classes. */
export function readConfusion(
  { confusions }: RunRecord,
  evaluation: EventOf<'evaluation'>,
): EventOf<'confusion'> | undefined {
  return confusions.findLast(({ step }) => step === evaluation.step);
}

/** The scores of one evaluation, by name without `eval_`. */
export function readScores(evaluation: object): Map<string, number> {
  return new Map(
    Object.entries(evaluation).flatMap(([name, value]) => {
      const score = scoreName(name);
      return score !== undefined && typeof value === 'number' ? [[score, value] as const] : [];
    }),
  );
}

const NO_SCORES = ['runtime', 'samples_per_second', 'steps_per_second'];

/** Returns `f1` for `eval_f1`, and undefined for names of other values. */
function scoreName(name: string): string | undefined {
  const score = /^eval_(.+)$/.exec(name)?.[1];
  return score === undefined || NO_SCORES.includes(score) ? undefined : score;
}

/** Ranks by module at the newest step that records them. Empty for full fine-tuning. */
export function newestRanks({ start, allocations, finish }: RunRecord): Record<string, number> {
  const final = finish && Object.keys(finish.ranks).length > 0 ? finish.ranks : undefined;
  return final ?? allocations.at(-1)?.ranks ?? start?.ranks ?? {};
}

/**
 * The number of the adapter's parameters at the end: 0 for full fine-tuning. Undefined before the end if ranks change.
 */
export function finalParameters({ start, allocations, finish }: RunRecord): number | undefined {
  return finish?.adapter_parameters ?? (allocations.length === 0 ? start?.adapter_parameters : undefined);
}

/** Mean number of examples per step. */
export function examplesPerStep({ start }: RunRecord): number {
  return start ? (start.train_examples * start.num_train_epochs) / start.total_steps : Number.NaN;
}

/** Mean number of examples per second over all reported steps, without evaluations. */
export function examplesPerSecond({ steps }: RunRecord): number {
  const rates = steps.map((step) => step.examples_per_second).filter((rate) => rate > 0);
  return rates.length / addUp(rates, (rate) => 1 / rate);
}

/** Mean milliseconds per step, without evaluations. */
export function stepMs(run: RunRecord): number {
  return (1000 * examplesPerStep(run)) / examplesPerSecond(run);
}

export function runMemoryMb({ steps, finish }: RunRecord): number | undefined {
  const peaks = [...steps, ...(finish ? [finish] : [])].map((event) => event.peak_memory_mb);
  const known = peaks.filter(Number.isFinite);
  return known.length === 0 ? undefined : known.reduce((most, peak) => Math.max(most, peak));
}
