import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { budgetShape } from './budget-shape.ts';
import { oneBudget } from './one-budget.ts';

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
      { target_r: 3, init_budget: 90 },
      { target_r: 3, init_budget: 90 },
    ],
    // The other units depend on the model.
    [{ target_budget: 90 }, { target_budget: 90 }],
    [{ target_parameters: '0.32%' }, { target_parameters: '0.32%' }],
    [
      { target_bytes: '1.2 MB', init_r: 9 },
      { target_bytes: '1.2 MB', init_r: 9 },
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
  expect(
    issuesOf({ target_r: 2, target_bytes: 1000, init_budget: 9, init_parameters: '3%', last: 'x' }),
  ).toEqual([
    expect.stringMatching(/^last: /),
    'target_bytes: cannot be combined with target_r',
    'init_parameters: cannot be combined with init_budget',
  ]);
});

it.each([
  [{ target_r: 0 }],
  [{ target_budget: 0 }],
  [{ target_budget: 1.5 }],
  [{ target_parameters: 0 }],
  [{ target_parameters: '0.3' }],
  [{ target_parameters: '101%' }],
  [{ target_parameters: '-1%' }],
  [{ target_bytes: 0.5 }],
  [{ target_bytes: '1.2' }],
  [{ target_bytes: '1 TB' }],
  [{ init_r: 1.5 }],
  [{ init_bytes: 'MB' }],
])('rejects %j', (given) => {
  expect(schema.safeParse(given).error?.issues.map(({ path }) => path[0])).toEqual(Object.keys(given));
});
