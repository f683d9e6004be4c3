import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../../support/user-error.ts';
import type { TunableModel } from '../tuner.ts';
import { budgetShape, oneBudget } from './budget.ts';
import { planAllocation, promisedBudget } from './promised-budget.ts';

const schema = oneBudget(z.strictObject(budgetShape));

// A component of the first two matrices has 10 numbers, a component of the third has 40.
const modules = [
  { inFeatures: 5, outFeatures: 5 },
  { inFeatures: 5, outFeatures: 5 },
  { inFeatures: 10, outFeatures: 30 },
];

function promised(settings: object) {
  return promisedBudget(schema.parse(settings), {
    method: 'adalora',
    title: 'AdaLoRA',
    components: 'triplets',
    modules,
    modelParameters: 12345,
  });
}

describe('in its unit', () => {
  it.each([
    [{}, { unit: 'components', target: 24, initialRank: 12 }],
    [{ target_r: 2.5 }, { unit: 'components', target: 7, initialRank: 4 }],
    [{ target: 2.5 }, { unit: 'components', target: 7, initialRank: 4 }],
    // 0.7 · 3 is below 2.1 in floating point.
    [{ target_r: 2.3 }, { unit: 'components', target: 6, initialRank: 4 }],
    [{ target: '5 triplets' }, { unit: 'components', target: 5, initialRank: 3 }],
    [{ target: '200 parameters' }, { unit: 'parameters', target: 200, initialRank: 5 }],
    // 2 % are 246.9 parameters.
    [{ target: '2%' }, { unit: 'parameters', target: 246, initialRank: 7 }],
  ])('%j', (settings, expected) => {
    expect(promised(settings)).toMatchObject(expected);
  });

  it.each([
    [{ init_r: 9 }, 9],
    [{ start: 9 }, 9],
    [{ start: 8.5 }, 9],
    [{ start: '9 triplets' }, 3],
    [{ start: '10 triplets' }, 4],
    [{ start: '240 parameters' }, 4],
    [{ start: '2%' }, 5],
  ])('the start %j is a whole rank', (start, rank) => {
    expect(promised({ target_r: 1, ...start }).initialRank).toBe(rank);
  });
});

it('starts at a possible rank', () => {
  const refused = () => promised({ target_r: 60_000 });
  expect(refused).toThrow(UserError);
  expect(refused).toThrow('adalora.init_r: 90000 means rank 90000 in every matrix; the maximum is 65536');
});

it('is available in every unit, with notices about rounding', () => {
  const { initial, final, rounded } = promised({ target: '2%', start: '20 triplets' });
  expect(initial).toEqual({ rank: 7, components: 21, parameters: 420 });
  // 246 numbers are a mean rank of 4.1.
  expect(final).toMatchObject({ components: 12, parameters: 246 });
  expect(final.rank).toBeCloseTo(4.1);
  expect(rounded).toEqual([
    'target 2% of 12,345 parameters is 246.9 parameters, rounded down',
    'start 20 triplets, rounded up to rank 7 in every matrix',
  ]);
  expect(promised({ target_r: 2.5 }).rounded).toEqual([
    'target_r 2.5 in 3 matrices is 7.5 triplets, rounded down',
  ]);
  expect(promised({}).rounded).toEqual([]);
  expect(promised({ target: '5 triplets' }).rounded).toEqual([
    'init_r: 1.5 times the target, rounded up to 3',
  ]);
});

describe('an error', () => {
  it.each([
    [{ target_r: 0.2 }, 'target_r must be at least one of the triplets, got 0.2 (0).'],
    [
      { target: '39 parameters' },
      'target must be at least 40 parameters, one of the triplets of the largest matrix, got 39 parameters.',
    ],
    [
      { target_r: 12, init_r: 12 },
      'target_r must be less than init_r (12), because AdaLoRA prunes from init_r down to target_r, got 12. ' +
        'Set adalora.init_r to about 18, or train with lora at rank 12.',
    ],
    [
      { target: '480 parameters', start: '20 triplets' },
      'target must be less than 420 parameters, rank 7 everywhere, because AdaLoRA prunes from start down to target, got 480 parameters. ' +
        'Set adalora.init_r to about 12, or train with lora at rank 8.',
    ],
  ])('%j', (settings, message) => {
    expect(() => promised(settings)).toThrow(new UserError(`adalora.${message}`, 'invalid_config'));
  });

  it('does not occur at the limits', () => {
    expect(promised({ target: '40 parameters' }).target).toBe(40);
    expect(promised({ target: '1 triplets' }).target).toBe(1);
    expect(promised({ target: '35 triplets', init_r: 12 }).target).toBe(35);
  });
});

it('a plan reports an impossible schedule together with unknown modules', () => {
  const model = {
    parameters: new Map(),
    linears: [{ path: 'layer.0.query', inFeatures: 4, outFeatures: 4 }],
    head: { modules: ['classifier'] },
    headKind: 'SEQ_CLS',
  } as unknown as TunableModel;
  const method = { method: 'adalora', title: 'AdaLoRA', components: 'triplets' } as const;
  const settings = { target_modules: ['querry'], target_r: 4, tinit: 70, tfinal: 40, deltaT: 1 };
  expect(() => planAllocation(method, model, settings as never, 100)).toThrow(
    /target_modules has "querry".*\nadalora\.tinit, adalora\.tfinal leave .*got 70 \+ 40/s,
  );
});
