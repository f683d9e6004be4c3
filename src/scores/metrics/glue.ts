import { accuracy, binaryF1, classCounts, matthewsCorrelation } from './classes.ts';
import { pearson, spearmanr } from './regression-scores.ts';

/**
 * Class names of GLUE's tasks, in the order of the class ids in the Hub's dataset `nyu-mll/glue`. GLUE's own
 * files contain these names for MNLI, QNLI and RTE, and ids for other tasks.
 */
export const GLUE_CLASSES = {
  cola: ['unacceptable', 'acceptable'],
  sst2: ['negative', 'positive'],
  mrpc: ['not_equivalent', 'equivalent'],
  qqp: ['not_duplicate', 'duplicate'],
  mnli: ['entailment', 'neutral', 'contradiction'],
  qnli: ['entailment', 'not_entailment'],
  rte: ['entailment', 'not_entailment'],
  wnli: ['not_entailment', 'entailment'],
} as const;

type Numbers = ArrayLike<number>;
type GlueMetric = (predictions: Numbers, references: Numbers) => Record<string, number>;

const share: GlueMetric = (predictions, references) => ({
  accuracy: accuracy(Int32Array.from(predictions), Int32Array.from(references)),
});

const shareAndF1: GlueMetric = (predictions, references) => {
  const counts = classCounts(Int32Array.from(predictions), Int32Array.from(references), 2);
  return combined({ ...share(predictions, references), f1: binaryF1(counts) });
};

/** Adds the mean of a task's scores, if the task has two. */
function combined(scores: Record<string, number>): Record<string, number> {
  const values = Object.values(scores);
  return { ...scores, combined_score: values.reduce((sum, value) => sum + value, 0) / values.length };
}

/** The scores of GLUE's tasks, named as in Hugging Face's metric. They are computed from class ids or numbers. */
export const GLUE_METRICS = {
  cola: (predictions, references) => ({
    matthews_correlation: matthewsCorrelation(
      classCounts(Int32Array.from(predictions), Int32Array.from(references), 2),
    ),
  }),
  sst2: share,
  mrpc: shareAndF1,
  stsb: (predictions, references) =>
    combined({
      pearson: pearson(Float64Array.from(predictions), Float64Array.from(references)),
      spearmanr: spearmanr(Float64Array.from(predictions), Float64Array.from(references)),
    }),
  qqp: shareAndF1,
  mnli: share,
  qnli: share,
  rte: share,
  wnli: share,
} as const satisfies Record<string, GlueMetric>;

export type GlueTask = keyof typeof GLUE_METRICS;
