import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { budgetShape, budgetSummary, oneBudget } from './budget.ts';

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
    [
      { target: '1.2 MB', init_r: 9 },
      { target: '1.2 MB', init_r: 9 },
    ],
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

it('is rejected twice, whatever else is wrong', () => {
  expect(issuesOf({ target_r: 2, target: '1 MB', init_r: 9, start: '3%', last: 'x' })).toEqual([
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
  [{ target: '1 TB' }],
  [{ init_r: 1.5 }],
  [{ start: 'MB' }],
])('rejects %j', (given) => {
  expect(schema.safeParse(given).error?.issues.map(({ path }) => path[0])).toEqual(Object.keys(given));
});

it.each([
  [{ init_r: 12, target_r: 8 }, 'rank 12 to 8 on average'],
  [{ target: '30 doublets' }, 'down to 30 doublets'],
  [{ target: '1000 parameters' }, 'down to 1000 parameters'],
  [{ target: '0.32%', init_r: 4 }, 'rank 4 to 0.32% of the parameters'],
  [{ target: '1.2 MB' }, 'down to 1.2 MB'],
  [{}, undefined],
])('%j is described as "%s"', (settings, summary) => {
  expect(budgetSummary(settings)).toBe(summary);
});
