import { isNumber } from '../../data/is-number.ts';
import { RowProblems } from '../../data/row-problems.ts';
import type { TextFile } from '../../data/text-file.ts';
import { GLUE_METRICS, type GlueTask } from '../../metrics/glue.ts';
import { UserError } from '../../support/user-error.ts';
import { type LabelledRow, labelsByRow } from './labels-by-row.ts';
import type { ScoreKind } from './score-kind.ts';

const NUMBERED = ['0', '1'];
const ENTAILMENT = ['entailment', 'not_entailment'];

/** Classes by task; of STS-B answers are numbers. */
const CLASSES: Readonly<Record<GlueTask, readonly string[] | undefined>> = {
  cola: NUMBERED,
  sst2: NUMBERED,
  mrpc: NUMBERED,
  stsb: undefined,
  qqp: NUMBERED,
  mnli: ['entailment', 'neutral', 'contradiction'],
  qnli: ENTAILMENT,
  rte: ENTAILMENT,
  wnli: NUMBERED,
};

/** Files that have no header: the columns of their answers. */
const COLUMNS: Partial<Record<GlueTask, number>> = { cola: 1, stsb: 4 };

/** The official scores of a task of GLUE: a submission's lines against the dev file. */
export function glueKind(task: GlueTask): ScoreKind {
  return {
    description: 'index<TAB>prediction against the dev file',
    takes: ['references'],
    needs: ['references'],
    score({ predictions, references }) {
      const right = labelsByRow(references!, COLUMNS[task]);
      const answers = inOrder(labelsByRow(predictions, 1), right, predictions.name);
      const toNumber = numbersOf(task);
      const scores = GLUE_METRICS[task](toNumber(answers, predictions), toNumber(right, references!));
      return { ...scores, rows: right.length };
    },
  };
}

/** Answers in the order of the references: by what those call their rows, or by their places from 0. */
function inOrder(
  answers: readonly LabelledRow[],
  right: readonly LabelledRow[],
  where: string,
): LabelledRow[] {
  const byId = new Map(answers.map((answer, i) => [answer.id ?? String(i), answer]));
  const isNamed = right.every(({ id }) => id !== undefined && byId.has(id));
  const found = right.map(({ id }, i) => byId.get(isNamed ? String(id) : String(i)));
  const missing = found.indexOf(undefined);
  if (missing < 0 && byId.size === right.length && answers.length === right.length)
    return found as LabelledRow[];
  throw new UserError({
    where,
    expected: `an answer for each of ${right.length} rows, with its index`,
    got: missing < 0 ? `${answers.length} answers` : `${answers.length}, none with index ${missing}`,
  });
}

function numbersOf(task: GlueTask): (rows: readonly LabelledRow[], file: TextFile) => Float64Array {
  const classes = CLASSES[task];
  const toNumber = (label: string) =>
    classes ? classes.indexOf(label) : isNumber(label) ? Number(label) : Number.NaN;
  const expected = classes ? `one of ${classes.join(', ')}` : 'a number';
  return (rows, { name }) => {
    const problems = new RowProblems(name);
    const numbers = Float64Array.from(rows, ({ label, line }) => {
      const number = toNumber(label);
      if (Number.isNaN(number) || (classes && number < 0))
        problems.add(line, { expected, got: `"${label}"` });
      return number;
    });
    problems.throwIfAny();
    return numbers;
  };
}
