import { expect, it, vi } from 'vitest';
import { NO_ADAPTER } from '../../methods/tuners/bank/packed-adapter.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { EMPTY_SHAPE } from './bank/bank-shape.ts';
import { headBank } from './bank/growing-bank.ts';
import type { ServedBase } from './served-base.ts';

it('closes the model of a bank that cannot be opened, and of a released one', async () => {
  const close = vi.fn();
  const base = { open: async () => ({ close }), engine: () => ({}) } as unknown as ServedBase;
  let fails = true;
  const open = async (_engine: unknown, _model: LoadedModel, shape: unknown) => {
    expect(shape).toBe(EMPTY_SHAPE);
    if (fails) throw new Error('no memory');
    return { release: async () => {} };
  };
  const bank = headBank(base, {} as TaskModel, open, () => {});
  for (let load = 1; load <= 3; load++) {
    await expect(bank.use(NO_ADAPTER, 1, async () => {})).rejects.toThrow('no memory');
    expect(close).toHaveBeenCalledTimes(load);
  }
  fails = false;
  await bank.use(NO_ADAPTER, 1, async () => expect(close).toHaveBeenCalledTimes(3));
  await bank.close();
  expect(close).toHaveBeenCalledTimes(4);
});
