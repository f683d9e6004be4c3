import { RowProblems } from '../../input/data/rows.ts';
import { isNumber } from '../../input/data/table-layout.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { GLUE_CLASSES, GLUE_METRICS, type GlueTask } from '../../scores/metrics/glue.ts';
import { InvalidData } from '../../support/user-error.ts';
import { type LabelledRow, labelsByRow, type NumberedLabels, type RowName } from './labels-by-row.ts';
import type { ScoreKind } from './values-by-id.ts';

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
  answers: readonly LabelledRow[],
  { rows, ragged }: NumberedLabels,
  where: string,
): LabelledRow[] {
  const byKey = new Map(answers.map((answer) => [answer.id ?? String(answer.place), answer]));
  const isNamed = rows.every(({ id }) => id !== undefined && byKey.has(id));
  const keyOf = ({ id, place }: RowName) => (isNamed ? String(id) : String(place));
  const answersByRow = rows.map((row) => byKey.get(keyOf(row)));
  const missing = answersByRow.indexOf(undefined);
  // Answers to skipped rows are accepted, because other systems may read those rows.
  const known = new Set([...rows, ...ragged].map(keyOf));
  const isKnown = answers.length === byKey.size && [...byKey.keys()].every((key) => known.has(key));
  if (missing < 0 && isKnown) return answersByRow as LabelledRow[];
  throw new InvalidData({
    where,
    fault:
      missing < 0
        ? `has ${answers.length} answers for ${rows.length} rows`
        : `has ${answers.length} answers but none with index ${keyOf(rows[missing]!)}`,
  });
}

/** Converts answers to numbers: class ids, or scores for STS-B. Classes are given by name or number. */
function chooseNumbers(task: GlueTask): (rows: readonly LabelledRow[], file: TextFile) => Float64Array {
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
