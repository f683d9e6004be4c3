import { expect, it } from 'vitest';
import { isTold } from './allocated-run.ts';
import { type AllocationSchedule, masksAt } from './budget.ts';

function told(schedule: AllocationSchedule): { masked: number[]; told: number[] } {
  const steps = Array.from({ length: schedule.totalStep }, (_, i) => i + 1);
  const masked = steps.filter((step) => masksAt(step, schedule));
  return { masked, told: masked.filter((step) => isTold(step, schedule)) };
}

it('records every allocation of a short run', () => {
  const run = told({ tinit: 107, tfinal: 428, deltaT: 10, totalStep: 1072 });
  expect(run.masked).toHaveLength(55);
  expect(run.told).toEqual(run.masked);
});

it('records the first, the final and evenly spaced ones of a long run', () => {
  const run = told({ tinit: 500, tfinal: 2000, deltaT: 1, totalStep: 10_000 });
  expect(run.masked).toHaveLength(7500);
  expect(run.told.length).toBeLessThanOrEqual(65);
  expect(run.told[0]).toBe(501);
  expect(run.told.at(-1)).toBe(8000);
  const gaps = run.told.slice(1, -1).map((step, i) => step - run.told[i]!);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
});
