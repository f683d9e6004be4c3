export { detectFormat } from './detect-format.ts';
export { buildLabels, type LabelMap, labelMap } from './labels.ts';
export { parseRows } from './parse-rows.ts';
export type { DataColumns, DataOptions, FileFormat, RawLabel, Row } from './row.ts';
export type { TaskType } from './task-type.ts';
export { toTargets } from './to-targets.ts';
