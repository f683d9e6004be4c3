import { describe, expect, it } from 'vitest';
import { type AllocationSchedule, budgetAt, maskingSteps, masksAt } from './budget.ts';

const schedule = { tinit: 3, tfinal: 5, deltaT: 4, totalStep: 20 };

function maskedSteps(schedule: AllocationSchedule): number[] {
  return Array.from({ length: schedule.totalStep }, (_, i) => i + 1).filter((step) =>
    masksAt(step, schedule),
  );
}

describe('budgetAt', () => {
  it('is constant, falls without rising, and is constant at the target', () => {
    const budgets = Array.from({ length: 20 }, (_, i) =>
      budgetAt(i + 1, { ...schedule, initialBudget: 90, targetBudget: 60 }),
    );
    // From PEFT's budget_schedule.
    expect(budgets).toEqual([90, 90, 90, 83, 77, 72, 68, 65, 63, 62, 61, 60, 60, 60, 60, 60, 60, 60, 60, 60]);
  });
});

describe('masksAt', () => {
  it.each<[AllocationSchedule, number[]]>([
    [schedule, [4, 8, 12, 15]],
    [{ ...schedule, tinit: 4 }, [8, 12, 15]],
    [{ ...schedule, tfinal: 4 }, [4, 8, 12, 16]],
    [{ ...schedule, tfinal: 0 }, [4, 8, 12, 16, 20]],
    [{ ...schedule, deltaT: 100 }, [15]],
  ])('%j: multiples of deltaT, and the end of the phase', (schedule, steps) => {
    expect(maskedSteps(schedule)).toEqual(steps);
    expect(maskingSteps(schedule)).toBe(steps.length);
  });
});
