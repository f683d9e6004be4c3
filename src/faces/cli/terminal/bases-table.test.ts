import { expect, it } from 'vitest';
import type { PlannedBase } from '../../../studies/jobs/plan/plan.ts';
import { basesTable } from './describe-plan.ts';

const measured = {
  peakMb: 684,
  steps: 66,
  msPerStep: 151.6,
  examplesPerSecond: 213.4,
  tokensPerSecond: 2345.6,
  evalExamplesPerSecond: 801.2,
  runSeconds: 3725,
};
const float32: PlannedBase = { dtype: 'float32', memoryMb: 1669.2 };
const int8: PlannedBase = { dtype: 'int8', memoryMb: 639 };

it('shows the memory of each type, with the configured one marked', () => {
  expect(`\n${basesTable([float32, int8], 'int8')}\n`).toMatchInlineSnapshot(`
    "
    base_dtype    memory
    float32     1,669 MB
    int8          639 MB  (this config)
    "
  `);
});

it('shows measurements and failures', () => {
  const rows: PlannedBase[] = [
    { ...float32, measured },
    { ...int8, measured: { ...measured, msPerStep: 9.06, runSeconds: 62 } },
    { dtype: 'int4', memoryMb: 610, failure: 'the process ended with SIGKILL' },
  ];
  expect(`\n${basesTable(rows, 'float32')}\n`).toMatchInlineSnapshot(`
    "
    base_dtype    memory  measured    step  examples/s  tokens/s  evaluation/s  whole run
    float32     1,669 MB    684 MB  152 ms         213     2,346           801    1:02:05  (this config)
    int8          639 MB    684 MB  9.1 ms         213     2,346           801       1:02
    int4          610 MB    failed
    int4: the process ended with SIGKILL
    "
  `);
});

it('has no evaluation column without evaluations', () => {
  const rows = [{ ...float32, measured: { ...measured, evalExamplesPerSecond: undefined } }];
  expect(basesTable(rows, 'float32')).not.toContain('evaluation');
});
