import { suggest } from '../../support/nearest.ts';
import { asList, isNumber, type LabelMap } from './labels.ts';
import type { Row } from '../../data/row.ts';
import { RowProblems } from '../../data/row-problems.ts';
import type { TaskType } from '../../data/task-type.ts';

/**
 * Targets of labelled rows, one after the other: class ids (Int32, [rows]), scores for regression (Float32, [rows]),
 * or 0 and 1 for each class of a multi-label task (Float32, [rows, classes]). `labels` is empty for regression.
 *
 * @throws UserError with file and line for a label not in `labels` and for a score that is no finite number.
 */
export function toTargets(
  rows: readonly Row[],
  task: TaskType,
  labels: LabelMap,
  fileName: string,
): Int32Array | Float32Array {
  const problems = new RowProblems(fileName);
  let hint: string | undefined; // for the first such label, the only one told in full
  const id = (name: string, line: number): number => {
    const found = labels.ids.get(name);
    if (found === undefined) {
      hint ??= suggest(name, labels.names);
      problems.add(line, { expected: 'a label seen in training', got: `"${name}"`, hint });
    }
    return found ?? 0;
  };
  const targets = fill(rows, task, labels.names.length, id, problems);
  problems.throwIfAny();
  return targets;
}

function fill(
  rows: readonly Row[],
  task: TaskType,
  classes: number,
  id: (name: string, line: number) => number,
  problems: RowProblems,
): Int32Array | Float32Array {
  switch (task) {
    case 'single_label_classification':
      return Int32Array.from(rows, ({ label, line }) => id(String(label), line));
    case 'regression':
      return Float32Array.from(rows, ({ label, line }) => score(String(label), line, problems));
    case 'multi_label_classification': {
      const targets = new Float32Array(rows.length * classes);
      rows.forEach(({ label, line }, row) => {
        for (const name of asList(label)) targets[row * classes + id(name, line)] = 1;
      });
      return targets;
    }
  }
}

function score(label: string, line: number, problems: RowProblems): number {
  if (isNumber(label)) return Number(label);
  problems.add(line, { expected: 'a finite number as label', got: `"${label}"` });
  return 0;
}
