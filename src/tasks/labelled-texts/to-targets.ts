import { type Row, RowProblems } from '../../input/data/rows.ts';
import { isNumber } from '../../input/data/table-layout.ts';
import { suggest } from '../../support/text.ts';
import { asList } from '../classes/labels.ts';

/** Targets of labeled rows, row-major. */
export type Targets = Int32Array | Float32Array;

/** The targets of each row. */
export function targetRows(targets: Targets, count: number): Targets[] {
  const width = targets.length / count;
  return Array.from({ length: count }, (_, row) => targets.subarray(row * width, (row + 1) * width));
}

/**
 * Converts labels of rows to targets.
 *
 * @throws UserError with file and line for invalid labels
 */
export type ToTargets = (rows: readonly Row[], labels: readonly string[], fileName: string) => Targets;

/** Class ids, int32 [rows]. */
export const classTargets: ToTargets = (rows, labels, fileName) =>
  withIds(labels, fileName, (id) => Int32Array.from(rows, ({ label, line }) => id(String(label), line)));

/** 1 for each class that applies and 0 for the others, float32 [rows, classes]. */
export const labelSetTargets: ToTargets = (rows, labels, fileName) =>
  withIds(labels, fileName, (id) => {
    const targets = new Float32Array(rows.length * labels.length);
    rows.forEach(({ label, line }, row) => {
      for (const name of asList(label)) targets[row * labels.length + id(name, line)] = 1;
    });
    return targets;
  });

/** Scores, float32 [rows]. */
export const scoreTargets: ToTargets = (rows, _, fileName) => {
  const problems = new RowProblems(fileName);
  const targets = Float32Array.from(rows, ({ label, line }) => {
    if (isNumber(String(label))) return Number(label);
    problems.add(line, { kind: 'number', fault: `has the label "${label}", which is not a finite number` });
    return 0;
  });
  problems.throwIfAny();
  return targets;
};

function withIds<T>(
  labels: readonly string[],
  fileName: string,
  make: (id: (name: string, line: number) => number) => T,
): T {
  const problems = new RowProblems(fileName);
  const ids = new Map(labels.map((name, id) => [name, id]));
  let hint: string | undefined; // The hint for the first such label. Only that label is reported in full.
  const made = make((name, line) => {
    const id = ids.get(name);
    if (id === undefined) {
      hint ??= suggest(name, labels);
      problems.add(line, {
        kind: 'unseen label',
        fault: `has the label "${name}", which was not seen in training`,
        hint,
        code: 'unknown_label',
      });
    }
    return id ?? 0;
  });
  problems.throwIfAny();
  return made;
}
