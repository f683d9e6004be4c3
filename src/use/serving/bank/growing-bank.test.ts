import { expect, it } from 'vitest';
import type { BankForm } from '../../../methods/tuners/bank/bank-form.ts';
import { NO_ADAPTER, type PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import type { BankShape } from './bank-shape.ts';
import { GrowingBank } from './growing-bank.ts';

const FORM: BankForm = { key: 'factors', inject: () => ({}) };

const adapter = (rank: number): PackedAdapter =>
  new Map([['factors', { form: FORM, pieces: new Map([['q', { size: rank, tensors: {} }]]) }]]);
const rankOf = (shape: BankShape) => shape.get('factors')?.sizes.get('q');

const check = async (shape: BankShape) => {
  if (rankOf(shape) === 17) throw new Error('refused before it is opened');
};

function growing(checked = check) {
  const log: string[] = [];
  const bank = new GrowingBank(async (shape, outputs) => {
    const name = `rank ${rankOf(shape)}, ${outputs} outputs`;
    if (rankOf(shape) === 13) throw new Error('no such rank');
    log.push(`open ${name}`);
    return {
      name,
      async release() {
        log.push(`release ${name}`);
      },
    };
  }, checked);
  return { log, bank };
}

it('opens once for all adapters that fit, on first use', async () => {
  const { log, bank } = growing();
  await bank.makeRoom({}, adapter(2), 2);
  await bank.makeRoom({}, adapter(4), 3);
  expect(log).toEqual([]);
  expect(await bank.use(NO_ADAPTER, 1, async ({ name }) => name)).toBe('rank 4, 3 outputs');
  await bank.makeRoom({}, adapter(3), 3);
  expect(log).toEqual(['open rank 4, 3 outputs']);
});

it('grows while the old one is in use until its work is done', async () => {
  const { log, bank } = growing();
  await bank.makeRoom({}, adapter(2), 1);
  let end = () => {};
  const long = bank.use(NO_ADAPTER, 1, async ({ name }) => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    return name;
  });
  await bank.makeRoom({}, adapter(5), 1);
  expect(await bank.use(NO_ADAPTER, 1, async ({ name }) => name)).toBe('rank 5, 1 outputs');
  expect(log).toEqual(['open rank 2, 1 outputs', 'open rank 5, 1 outputs']);
  end();
  expect(await long).toBe('rank 2, 1 outputs');
  expect(log.at(-1)).toBe('release rank 2, 1 outputs');
  await bank.close();
  expect(log.at(-1)).toBe('release rank 5, 1 outputs');
});

it('is unchanged if it cannot grow', async () => {
  const { log, bank } = growing();
  await bank.makeRoom({}, adapter(2), 1);
  await bank.use(NO_ADAPTER, 1, async () => {});
  await expect(bank.makeRoom({}, adapter(13), 1)).rejects.toThrow('no such rank');
  await bank.makeRoom({}, adapter(1), 1);
  expect(await bank.use(NO_ADAPTER, 1, async ({ name }) => name)).toBe('rank 2, 1 outputs');
  expect(log).toEqual(['open rank 2, 1 outputs']);
});

it('rejects an adapter that it cannot hold before anything is opened', async () => {
  const { log, bank } = growing();
  await bank.makeRoom({}, adapter(2), 1);
  await expect(bank.makeRoom({}, adapter(17), 1)).rejects.toThrow('refused before it is opened');
  expect(await bank.use(NO_ADAPTER, 1, async ({ name }) => name)).toBe('rank 2, 1 outputs');
  expect(log).toEqual(['open rank 2, 1 outputs']);
});

it('has room for an adapter even if a request opened the smaller bank during its check', async () => {
  let pass = async () => {};
  const { log, bank } = growing(() => pass());
  await bank.makeRoom({}, adapter(2), 1);
  let end = () => {};
  pass = () =>
    new Promise<void>((resolve) => {
      end = resolve;
    });
  const grown = bank.makeRoom({}, adapter(5), 1);
  expect(await bank.use(NO_ADAPTER, 1, async ({ name }) => name)).toBe('rank 2, 1 outputs');
  end();
  await grown;
  expect(await bank.use(NO_ADAPTER, 1, async ({ name }) => name)).toBe('rank 5, 1 outputs');
  expect(log).toContain('release rank 2, 1 outputs');
});

it('tries again after a failed opening', async () => {
  let isFull = true;
  const bank = new GrowingBank(async () => {
    if (isFull) throw new Error('no memory');
    return { release: async () => {} };
  }, check);
  await expect(bank.use(NO_ADAPTER, 1, async () => {})).rejects.toThrow('no memory');
  isFull = false;
  expect(await bank.use(NO_ADAPTER, 1, async () => 'well')).toBe('well');
});

it('shrinks when the adapters that need most of its room have left, and stays otherwise', async () => {
  const { log, bank } = growing();
  const [small, medium, large] = [{}, {}, {}];
  await bank.makeRoom(small, adapter(2), 1);
  await bank.makeRoom(medium, adapter(5), 1);
  await bank.makeRoom(large, adapter(8), 1);
  await bank.open();
  await bank.leave(large);
  expect(log).toEqual(['open rank 8, 1 outputs']);
  await bank.leave(medium);
  expect(log.slice(1)).toEqual(['open rank 2, 1 outputs', 'release rank 8, 1 outputs']);
  await bank.leave(medium);
  expect(log).toHaveLength(3);
  // A request of an adapter that has left in the meantime.
  expect(await bank.use(adapter(5), 1, async ({ name }) => name)).toBe('rank 5, 1 outputs');
  await bank.leave(small);
  expect(log.at(-1)).toBe('release rank 5, 1 outputs');
});

it('stays as large as it is if a smaller one cannot be opened', async () => {
  const { log, bank } = growing();
  const large = {};
  await bank.makeRoom({}, adapter(13), 1);
  await bank.makeRoom(large, adapter(40), 1);
  await bank.open();
  await bank.leave(large);
  expect(await bank.use(adapter(13), 1, async ({ name }) => name)).toBe('rank 40, 1 outputs');
  expect(log).toEqual(['open rank 40, 1 outputs']);
});
