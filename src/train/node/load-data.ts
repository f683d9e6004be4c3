import type { LabelMap } from '../../data/labels.ts';
import { buildLabels } from '../../data/labels.ts';
import { readRows } from '../../data/node/read-rows.ts';
import type { Row } from '../../data/row.ts';
import type { RunConfig } from '../run-config.ts';

/** The rows of a run and the classes they have. */
export interface RunData {
  train: Row[];
  validation: Row[] | undefined;
  labels: LabelMap;
}

/** Reads a run's files. `known` is the checkpoint's `id2label`, which orders the classes where it names them all. */
export function loadData({ data, task }: RunConfig, known?: Readonly<Record<string, string>>): RunData {
  const { train, validation, max_length: _, ...columns } = data;
  const options = { ...columns, task };
  const rows = readRows(train, options);
  return {
    train: rows,
    validation: validation === undefined ? undefined : readRows(validation, options),
    labels: buildLabels(rows, task, train, known),
  };
}
