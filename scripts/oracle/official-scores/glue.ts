import { RowProblems } from '../../../src/input/data/rows.ts';
import { isNumber } from '../../../src/input/data/table-layout.ts';
import type { TextFile } from '../../../src/input/data/text-file.ts';
import { accuracy, binaryF1, classCounts, matthewsCorrelation } from '../../../src/scores/metrics/classes.ts';
import { pearson, spearmanr } from '../../../src/scores/metrics/regression-scores.ts';
import { InvalidData } from '../../../src/support/user-error.ts';
import { GLUE_CLASSES } from '../../../src/tasks/single-label-classification/definition.ts';
import { type LabeledRow, labelsByRow, type NumberedLabels, type RowName } from './labels-by-row.ts';
import type { ScoreKind } from './values-by-id.ts';

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
const GLUE_METRICS = {
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

type GlueTask = keyof typeof GLUE_METRICS;

/** The answer columns of files without a header. */
const COLUMNS: Partial<Record<GlueTask, number>> = { cola: 1, stsb: 4 };

/**
 * Computes the official scores of a GLUE task from a submission and the dev file. Rows of the dev file with a
 * wrong number of fields, as in QQP, are skipped with a warning.
 */
export function glueKind(task: GlueTask): ScoreKind {
  return {
    description: 'index<TAB>prediction against the dev file',
    takes: ['references'],
    needs: ['references'],
    score({ predictions, references }, warn) {
      const right = labelsByRow(references!, COLUMNS[task], warn);
      const answers = inOrder(labelsByRow(predictions, 1).rows, right, predictions.name);
      const toNumber = chooseNumbers(task);
      const scores = GLUE_METRICS[task](toNumber(answers, predictions), toNumber(right.rows, references!));
      return { ...scores, rows: right.rows.length };
    },
  };
}

/** Sorts answers into the order of the references, by row id or else by index from 0. */
function inOrder(
  answers: readonly LabeledRow[],
  { rows, ragged }: NumberedLabels,
  where: string,
): LabeledRow[] {
  const byKey = new Map(answers.map((answer) => [answer.id ?? String(answer.place), answer]));
  const isNamed = rows.every(({ id }) => id !== undefined && byKey.has(id));
  const keyOf = ({ id, place }: RowName) => (isNamed ? String(id) : String(place));
  const answersByRow = rows.map((row) => byKey.get(keyOf(row)));
  const missing = answersByRow.indexOf(undefined);
  // Answers to skipped rows are accepted, because other systems may read those rows.
  const known = new Set([...rows, ...ragged].map(keyOf));
  const isKnown = answers.length === byKey.size && [...byKey.keys()].every((key) => known.has(key));
  if (missing < 0 && isKnown) return answersByRow as LabeledRow[];
  throw new InvalidData({
    where,
    fault:
      missing < 0
        ? `has ${answers.length} answers for ${rows.length} rows`
        : `has ${answers.length} answers but none with index ${keyOf(rows[missing]!)}`,
  });
}

/** Converts answers to numbers: class ids, or scores for STS-B. Classes are given by name or number. */
function chooseNumbers(task: GlueTask): (rows: readonly LabeledRow[], file: TextFile) => Float64Array {
  const names: readonly string[] | undefined = task === 'stsb' ? undefined : GLUE_CLASSES[task];
  const ids = names?.map((_, id) => `${id}`);
  const toNumber = (label: string) => {
    if (!names || !ids) return isNumber(label) ? Number(label) : Number.NaN;
    const id = Math.max(names.indexOf(label), ids.indexOf(label));
    return id < 0 ? Number.NaN : id;
  };
  const needs = names && ids ? `one of ${[...ids, ...names].join(', ')}` : 'a number';
  return (rows, { name }) => {
    const problems = new RowProblems(name);
    const numbers = Float64Array.from(rows, ({ label, line }) => {
      const number = toNumber(label);
      if (Number.isNaN(number)) problems.add(line, { needs, got: `"${label}"` });
      return number;
    });
    problems.throwIfAny();
    return numbers;
  };
}
