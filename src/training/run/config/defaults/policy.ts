import { type MethodName, methodNamed } from '../../../../methods/tuners/registry.ts';
import type { LinearModule } from '../../../../models/nn/network.ts';
import type { TaskModel } from '../../../../program/objectives/task-model.ts';
import { type TaskName, taskNamed } from '../../../../tasks/registry.ts';

/** The facts that the choice depends on. They exclude the machine, so that a config gives the same run everywhere. */
export interface ChoiceInputs {
  method: MethodName;
  task: TaskName;
  model: Pick<TaskModel, 'definition' | 'linears' | 'layer'>;
  /** Number of training rows, without held-out rows. */
  rows: number;
  /** Approximate number of tokens per row. */
  tokens: number;
}

/**
 * The share of rows that is held out if the config names no validation set, and the minimum number of rows for holding
 * out.
 */
export const HELD_OUT = 0.1;
export const MIN_ROWS = 20;
/**
 * Maximum number of rows to hold out if each is a query to all texts of the file. The interval of a share is then ±3 %,
 * and the time grows with rows times texts.
 */
const MAX_QUERIES = 1000;

/** The percentage of rows to hold out for a search. */
export function heldOutQueries(rows: number): number {
  return Number(Math.min(100 * HELD_OUT, (100 * MAX_QUERIES) / rows).toPrecision(2));
}

/**
 * The width of all-MiniLM-L6-v2, the widest model measured. For a wider model, the rate is scaled by 1 / width; for a
 * narrower model, it is not scaled.
 */
const MEASURED_WIDTH = 384;
/** Rows per step. For small files, many steps matter more than smooth gradients. */
export const ROWS_PER_STEP = 16;
/** The minimum number of rows that a run sees. With fewer, a new head and its factors learn too little. */
const ROWS_SEEN = 3400;
const EPOCHS = { least: 8, most: 40 };
/**
 * Number of rows that a language model sees, and its epochs. With 9 steps, 24 conversations change nothing; with 30 they
 * do (bench/log/2026-12-02-language-models.md).
 */
const LANGUAGE_ROWS_SEEN = 240;
const LANGUAGE_EPOCHS = { least: 3, most: 10 };
/**
 * Up to this number of rows, a linear layer on sentence vectors classifies them, and the run is cross-validated. With
 * more rows, a tenth of them is enough to judge by.
 */
export const FEW_ROWS = 1000;
/** With three folds, a run trains three times as long as without. Each model sees two thirds of the rows. */
export const FOLDS = 3;
/** Number of rows that a run for a linear layer sees, and its epochs. Its layer is fitted, so that few steps suffice. */
const LAYER_ROWS_SEEN = 1000;
const LAYER_EPOCHS = { least: 3, most: 20 };
/**
 * Number of rows that a run sees whose evaluations compare rows, and its epochs. With 3 epochs of 60 pairs, vectors hardly
 * change; with 25 they do (bench/log/2026-12-02-search.md).
 */
const COMPARED_ROWS_SEEN = 1500;
const COMPARED_EPOCHS = { least: 2, most: 25 };
/** Queries that judge a search: the interval of a share is then ±5 %. Each fold trains as long as two thirds of the run. */
const JUDGING_QUERIES = 300;
/** The rate of vectors that are compared, as a multiple of the method's. */
const CONTRAST_RATE = 2;
/**
 * Limit of a run's work: parameters of linear layers times tokens. It takes about two minutes on two cores
 * (docs/defaults.md). A run sees every row at least once, even if that takes longer.
 */
const WORK = 3.5e12;

/** The policy's values for the method's section. */
export function chooseSection(facts: ChoiceInputs): Readonly<Record<string, unknown>> {
  const { rate: _, ...section } = chosenFor(facts);
  return section;
}

/** The learning rate for a method, a task and a model. It does not depend on the number of rows. */
export function usualRate(facts: Pick<ChoiceInputs, 'method' | 'task' | 'model'>): number {
  const { rate } = chosenFor(facts);
  const width = isLanguage(facts) ? 1 : Math.min(1, MEASURED_WIDTH / measureWidth(facts.model.linears));
  const { comparesRows, rateShare = 1 } = taskNamed(facts.task).training;
  const isContrast = facts.model.layer?.inLoss === false || (comparesRows === true && !isLanguage(facts));
  const share = isContrast ? CONTRAST_RATE * width : width;
  // Rounded to two digits, because the rate is not more precise.
  return Number((rate * share * rateShare).toPrecision(2));
}

function chosenFor(facts: Pick<ChoiceInputs, 'method' | 'task' | 'model'>) {
  const { encoder, language } = methodNamed(facts.method).chosen;
  return isLanguage(facts) ? language : encoder;
}

/**
 * Whether the policy's values for language models apply: a decoder and a head that predicts tokens need smaller steps.
 */
function isLanguage({ task, model }: Pick<ChoiceInputs, 'task' | 'model'>): boolean {
  const { keepsHead = false, comparesRows = false } = taskNamed(task).training;
  return (keepsHead && !comparesRows) || model.definition.isDecoder === true;
}

/** The number of epochs for the rows of a run and the work that they are. */
export function chooseEpochs({ rows, tokens, model, task }: ChoiceInputs): number {
  const { comparesRows = false, keepsHead = false, rowsSeen } = taskNamed(task).training;
  if (rowsSeen !== undefined) return Math.max(1, Math.min(LANGUAGE_EPOCHS.most, Math.ceil(rowsSeen / rows)));
  const [seen, { least, most }] = comparesRows
    ? [COMPARED_ROWS_SEEN, COMPARED_EPOCHS]
    : keepsHead
      ? [LANGUAGE_ROWS_SEEN, LANGUAGE_EPOCHS]
      : model.layer
        ? [LAYER_ROWS_SEEN, LAYER_EPOCHS]
        : [ROWS_SEEN, EPOCHS];
  const wanted = Math.min(most, Math.max(least, Math.ceil(seen / rows)));
  return Math.max(1, Math.min(wanted, Math.floor(WORK / estimateWork(model.linears, tokens * rows))));
}

/** The work of a training: parameters of linear layers times tokens. */
export function estimateWork(
  linears: readonly Pick<LinearModule, 'inFeatures' | 'outFeatures'>[],
  tokens: number,
): number {
  return tokens * linears.reduce((sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures, 0);
}

/**
 * The number of folds in which a model is fine-tuned, so that a run takes no longer than a few minutes. At least one.
 *
 * @param work that of the training on all rows
 * @param queries number of rows, for a search, whose folds have many queries
 */
export function affordableFolds(folds: number, work: number, queries?: number): number {
  const share = (folds - 1) / folds;
  const needed = queries === undefined ? folds : Math.ceil((folds * JUDGING_QUERIES) / queries);
  return Math.max(1, Math.min(folds, needed, Math.floor((WORK / work - 1) / share)));
}

/** The most frequent input width of linear layers: the width of the hidden states. */
export function measureWidth(linears: readonly Pick<LinearModule, 'inFeatures'>[]): number {
  const counts = new Map<number, number>();
  for (const { inFeatures } of linears) counts.set(inFeatures, (counts.get(inFeatures) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), [MEASURED_WIDTH, 0])[0];
}
