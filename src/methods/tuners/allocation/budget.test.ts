import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { budgetShape, budgetSummary, oneBudget } from './budget.ts';
import { type AllocationSchedule, budgetAt, CURVES, maskingSteps, masksAt } from './schedule.ts';

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
});

const schema = oneBudget(
  z.strictObject({ first: z.number().default(1), ...budgetShape, last: z.number().default(2) }),
);

describe('defaults', () => {
  it.each([
    [{}, { target_r: 8, init_r: 12 }],
    [{ target_r: 4 }, { target_r: 4, init_r: 6 }],
    [{ target_r: 2.5 }, { target_r: 2.5, init_r: 4 }],
    [{ target_r: 0.2 }, { target_r: 0.2, init_r: 1 }],
    [{ target_r: 2.0000000001 / 1.5 }, { target_r: 2.0000000001 / 1.5, init_r: 2 }],
    [{ init_r: 20 }, { target_r: 8, init_r: 20 }],
    [
      { target_r: 3, start: '90 triplets' },
      { target_r: 3, start: '90 triplets' },
    ],
    // The other units depend on the model.
    [{ target: '90 triplets' }, { target: '90 triplets' }],
    [{ target: 4 }, { init_r: 6, target: 4 }],
    [{ target: '0.32%' }, { target: '0.32%' }],
  ])('%j becomes %j', (given, filled) => {
    const parsed = schema.parse(given);
    expect(parsed).toEqual({ first: 1, ...filled, last: 2 });
    expect(schema.parse(parsed)).toEqual(parsed);
  });

  it('are in the order of the schema', () => {
    expect(Object.keys(schema.parse({}))).toEqual(['first', 'target_r', 'init_r', 'last']);
  });
});

const issuesOf = (given: object) =>
  schema.safeParse(given).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

it('two units of one budget are rejected, whatever else is wrong', () => {
  expect(issuesOf({ target_r: 2, target: '1%', init_r: 9, start: '3%', last: 'x' })).toEqual([
    expect.stringMatching(/^last: /),
    'target: cannot be combined with target_r',
    'start: cannot be combined with init_r',
  ]);
});

it.each([
  [{ target_r: 0 }],
  [{ target: 0 }],
  [{ target: '0 triplets' }],
  [{ target: '1.5 triplets' }],
  [{ target: '0.3' }],
  [{ target: '101%' }],
  [{ target: '-1%' }],
  [{ target: '1 MB' }],
  [{ init_r: 1.5 }],
  [{ start: 'MB' }],
])('a budget of %j is rejected', (given) => {
  expect(schema.safeParse(given).error?.issues.map(({ path }) => path[0])).toEqual(Object.keys(given));
});

it.each([
  [{ init_r: 12, target_r: 8 }, 'rank 12 to 8 on average'],
  [{ target: '30 doublets' }, 'down to 30 doublets'],
  [{ target: '1000 parameters' }, 'down to 1000 parameters'],
  [{ target: '0.32%', init_r: 4 }, 'rank 4 to 0.32% of the parameters'],
  [{}, undefined],
])('a budget of %j is described as "%s"', (settings, summary) => {
  expect(budgetSummary(settings)).toBe(summary);
});
