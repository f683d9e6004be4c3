import { describe, expect, it } from 'vitest';
import { CURVES } from './allocation-config.ts';
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

describe('a schedule', () => {
  const settings = { tinit: 10, tfinal: 20, deltaT: 1, totalStep: 110, initialBudget: 96, targetBudget: 24 };

  it.each(CURVES)('%s begins and ends like the others, and never rises', (curve) => {
    const budgets = Array.from({ length: 110 }, (_, i) => budgetAt(i + 1, { ...settings, curve }));
    expect([budgets[9], budgets[89], budgets[109]]).toEqual([96, 24, 24]);
    budgets.forEach((budget, i) => expect(budget).toBeLessThanOrEqual(budgets[i - 1] ?? 96));
  });

  it('has its shape in the middle', () => {
    const half = (curve: (typeof CURVES)[number]) => budgetAt(50, { ...settings, curve });
    expect(CURVES.map(half)).toEqual([33, 60, 48, 60, 96]);
  });

  it('may be a function of the step, clamped to the budgets', () => {
    const at = (step: number, curve: (step: number) => number) => budgetAt(step, { ...settings, curve });
    expect([at(50, (step) => step + 0.9), at(50, () => 1e9), at(50, () => -1), at(95, () => 50)]).toEqual([
      50, 96, 0, 24,
    ]);
  });
});
