import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../../support/user-error.ts';
import { assumedPhases, resolveSchedule, scheduleShape } from './schedule.ts';

function resolve(settings: object, totalStep: number) {
  return resolveSchedule(z.object(scheduleShape).parse(settings), totalStep, 'adalora');
}

function messageOf(settings: object, totalStep: number): string {
  try {
    resolve(settings, totalStep);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('no error');
}

it('turns shares into steps', () => {
  const shares = { tinit: '10%', tfinal: '40%', deltaT: '0.1%' };
  expect(resolve(shares, 1072)).toEqual({ tinit: 107, tfinal: 428, deltaT: 1, totalStep: 1072 });
  const counts = { tinit: 6, tfinal: 10, deltaT: 2 };
  expect(resolve(counts, 40)).toEqual({ ...counts, totalStep: 40 });
  expect(resolve({ tinit: '7%' }, 100).tinit).toBe(7);
});

describe('a missing schedule', () => {
  const assumed = (settings: object, totalStep: number) => {
    const { tinit, tfinal } = resolve(settings, totalStep);
    return { tinit, tfinal, told: assumedPhases(settings, resolve(settings, totalStep)) };
  };

  it('is 10 % and 40 % of the run, with a notice', () => {
    const told =
      'The config does not set tinit and tfinal. Using tinit = 107 and tfinal = 428 of 1072 steps.';
    expect(assumed({}, 1072)).toEqual({ tinit: 107, tfinal: 428, told });
  });

  it('with one given phase has a share for the other, or half of the rest', () => {
    const after = (tfinal: number) =>
      `The config does not set tfinal. Using tfinal = ${tfinal} of 100 steps.`;
    expect(assumed({ tinit: 5 }, 100)).toEqual({ tinit: 5, tfinal: 40, told: after(40) });
    expect(assumed({ tinit: '70%' }, 100)).toEqual({ tinit: 70, tfinal: 15, told: after(15) });
    const before = 'The config does not set tinit. Using tinit = 2 of 100 steps.';
    expect(assumed({ tfinal: 95 }, 100)).toEqual({ tinit: 2, tfinal: 95, told: before });
  });

  it("is not missing with PEFT's zeros", () => {
    expect(assumed({ tinit: 0, tfinal: 0 }, 100)).toEqual({ tinit: 0, tfinal: 0, told: undefined });
  });
});

it('rejects a run without budgeting phase', () => {
  expect(messageOf({ tinit: 60, tfinal: '40%' }, 100)).toMatchInlineSnapshot(
    `"adalora.tinit, adalora.tfinal leave no step to allocate the budget: tinit + tfinal must be less than 100 (the steps of this run), got 60 + 40 = 100. Lower tinit or tfinal (shares such as 10% follow the length of the run), or train for more steps."`,
  );
  expect(resolve({ tinit: 59, tfinal: '40%' }, 100).tinit).toBe(59);
});

it('rejects a run that never measures importance', () => {
  expect(messageOf({ tfinal: 9 }, 10)).toMatchInlineSnapshot(
    `"adalora.tfinal puts the final allocation at step 1 of 10, with no step before it to measure importance. Set adalora.tfinal to at most 8."`,
  );
  expect(messageOf({}, 1)).toMatchInlineSnapshot(
    `"The run has one step, and none before it to measure which ranks matter. Train for at least two steps (more rows, more epochs or a smaller batch), or set method: lora."`,
  );
  expect(resolve({}, 2).totalStep).toBe(2);
});
