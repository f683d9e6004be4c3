import { describe, expect, it } from 'vitest';
import { UserError } from '../../support/user-error.ts';
import { adaLoraConfigSchema } from './config.ts';
import { resolveSchedule } from './resolve-schedule.ts';

function resolve(settings: object, totalStep: number) {
  return resolveSchedule(adaLoraConfigSchema.parse(settings), totalStep);
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

describe('schema', () => {
  it('has the defaults of PEFT', () => {
    expect(adaLoraConfigSchema.parse({})).toEqual({
      target_r: 8,
      init_r: 12,
      tinit: 0,
      tfinal: 0,
      deltaT: 1,
      beta1: 0.85,
      beta2: 0.85,
      orth_reg_weight: 0.5,
      lora_alpha: 8,
      lora_dropout: 0,
      bias: 'none',
      orthogonality: 'mean-norm',
      importance_timing: 'after-step',
      shrink: 'at-final',
      score: 'sensitivity-uncertainty',
    });
  });

  it.each([
    [{ tinit: '101%' }, 'tinit'],
    [{ tinit: '10' }, 'tinit'],
    [{ tfinal: -1 }, 'tfinal'],
    [{ deltaT: 0 }, 'deltaT'],
    [{ beta1: 1 }, 'beta1'],
    [{ lora_dropout: 1 }, 'lora_dropout'],
    [{ orth_reg_weight: -0.1 }, 'orth_reg_weight'],
    [{ target_modules: [] }, 'target_modules'],
  ])('refuses %j', (settings, key) => {
    const result = adaLoraConfigSchema.safeParse(settings);
    expect(result.error?.issues.map(({ path }) => path[0])).toEqual([key]);
  });

  it('refuses an unknown key', () => {
    expect(adaLoraConfigSchema.safeParse({ traget_r: 8 }).error?.issues[0].code).toBe('unrecognized_keys');
  });
});

describe('resolveSchedule', () => {
  it('turns shares into steps', () => {
    const shares = { tinit: '10%', tfinal: '40%', deltaT: '0.1%' };
    expect(resolve(shares, 1072)).toEqual({ tinit: 107, tfinal: 428, deltaT: 1, totalStep: 1072 });
    const counts = { tinit: 6, tfinal: 10, deltaT: 2 };
    expect(resolve(counts, 40)).toEqual({ ...counts, totalStep: 40 });
    expect(resolve({ tinit: '7%' }, 100).tinit).toBe(7);
  });

  it('refuses a target that prunes nothing', () => {
    expect(messageOf({ target_r: 12 }, 100)).toMatchInlineSnapshot(
      `"adalora.target_r: expected less than init_r (12), for AdaLoRA prunes from init_r down to target_r, got 12. Set adalora.init_r to about 18, or train with lora at rank 12."`,
    );
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
});
