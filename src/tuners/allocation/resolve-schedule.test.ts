import { expect, it } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../support/user-error.ts';
import { resolveSchedule } from './resolve-schedule.ts';
import { scheduleShape } from './schedule-shape.ts';

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

it('refuses a run without budgeting phase', () => {
  expect(messageOf({ tinit: 60, tfinal: '40%' }, 100)).toMatchInlineSnapshot(
    `"adalora.tinit, adalora.tfinal: expected room for a budgeting phase, tinit + tfinal < 100 (the steps of this run), got 60 + 40 = 100. Lower tinit or tfinal (shares such as 10% follow the length of the run), or train for more steps."`,
  );
  expect(resolve({ tinit: 59, tfinal: '40%' }, 100).tinit).toBe(59);
});

it('refuses a run that never measures importance', () => {
  expect(messageOf({ tfinal: 9 }, 10)).toMatchInlineSnapshot(
    `"adalora.tfinal: expected at least one step before the final allocation, to measure importance, got the final allocation at step 1 of 10. Set adalora.tfinal to at most 8."`,
  );
  expect(messageOf({}, 1)).toMatchInlineSnapshot(
    `"adalora.tfinal: expected at least one step before the final allocation, to measure importance, got the final allocation at step 1 of 1. Train for more steps."`,
  );
  expect(resolve({}, 2).totalStep).toBe(2);
});
