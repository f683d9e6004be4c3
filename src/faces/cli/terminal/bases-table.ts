import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import type { Calibration } from '../../../studies/jobs/calibration/calibration.ts';
import type { PlannedBase } from '../../../studies/jobs/plan/plan.ts';
import { counted } from '../../../studies/report/format.ts';
import { clockTime } from './describe-event.ts';

type Column = [name: string, cell: (base: PlannedBase) => string];

const megabytes = (value: number) => `${whole(value)} MB`;
const DTYPE: Column = ['base_dtype', ({ dtype }) => dtype];
const PLANNED: Column = ['memory', ({ memoryMb }) => megabytes(memoryMb)];
const MEASURED: Column[] = [
  ['measured', ({ measured }) => (measured ? megabytes(measured.peakMb) : 'failed')],
  ofMeasured('step', ({ msPerStep }) => milliseconds(msPerStep)),
  ofMeasured('examples/s', ({ examplesPerSecond }) => whole(examplesPerSecond)),
  ofMeasured('tokens/s', ({ tokensPerSecond }) => whole(tokensPerSecond)),
];
const EVALUATION = ofMeasured('evaluation/s', ({ evalExamplesPerSecond: rate }) =>
  rate === undefined ? '' : whole(rate),
);
const RUN = ofMeasured('whole run', ({ runSeconds }) => clockTime(runSeconds));

/**
 * A table with one row per base type: estimated memory, and measurements if available. The config's type is
 * marked. Failed measurements are listed below the table.
 */
export function basesTable(bases: readonly PlannedBase[], configured: BaseDtype): string {
  const isMeasured = bases.some(({ measured, failure }) => measured || failure !== undefined);
  const evaluates = bases.some(({ measured }) => measured?.evalExamplesPerSecond !== undefined);
  const columns = [
    DTYPE,
    PLANNED,
    ...(isMeasured ? [...MEASURED, ...(evaluates ? [EVALUATION] : []), RUN] : []),
  ];
  const rows = [columns.map(([name]) => name), ...bases.map((base) => columns.map(([, cell]) => cell(base)))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row, i) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
    );
    const mark = bases[i - 1]?.dtype === configured ? ['(this config)'] : [];
    return [...cells, ...mark].join('  ').trimEnd();
  });
  const failures = bases.flatMap(({ dtype, failure }) =>
    failure === undefined ? [] : [`${dtype}: ${failure}`],
  );
  return [...lines, ...failures].join('\n');
}

function ofMeasured(name: string, cell: (measured: Calibration) => string): Column {
  return [name, ({ measured }) => (measured ? cell(measured) : '')];
}

function whole(value: number): string {
  return counted(Math.round(value));
}

function milliseconds(value: number): string {
  return `${value < 100 ? value.toFixed(1) : whole(value)} ms`;
}
