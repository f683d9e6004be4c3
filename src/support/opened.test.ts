import { expect, it, vi } from 'vitest';
import { OnDemand, releaseAll, releasing } from './opened.ts';

const fails = () => Promise.reject(new Error('cannot'));
const fine = () => ({ release: vi.fn(async () => {}) });
const stuck = () => ({ release: vi.fn(fails) });

it('opens once, again after a failure, and again after a release', async () => {
  const made = fine();
  const open = vi.fn<() => Promise<typeof made>>().mockImplementationOnce(fails).mockResolvedValue(made);
  const session = new OnDemand(open);
  await session.release();
  await expect(Promise.all([session.get(), session.get()])).rejects.toThrow('cannot');
  expect(await Promise.all([session.get(), session.get()])).toEqual([made, made]);
  expect(open).toHaveBeenCalledTimes(2);
  await session.release();
  await session.release();
  expect(made.release).toHaveBeenCalledTimes(1);
  await session.get();
  expect(open).toHaveBeenCalledTimes(3);
});

it('releases what is being opened, and settles if that fails', async () => {
  const made = fine();
  const session = new OnDemand(async () => made);
  void session.get();
  await session.release();
  expect(made.release).toHaveBeenCalledTimes(1);
  const failing = new OnDemand(fails);
  const opening = failing.get();
  await failing.release();
  await expect(opening).rejects.toThrow('cannot');
});

it('releases all, although some fail, and throws the first error', async () => {
  const all = [fine(), stuck(), undefined, fine()];
  await expect(releaseAll(all)).rejects.toThrow('cannot');
  for (const one of all) if (one) expect(one.release).toHaveBeenCalledTimes(1);
});

it('releases after work, and throws the error of the work first', async () => {
  expect(await releasing(fine(), async () => 1)).toBe(1);
  const work = () => Promise.reject(new Error('of the work'));
  for (const used of [fine(), stuck()]) {
    await expect(releasing(used, work)).rejects.toThrow('of the work');
    expect(used.release).toHaveBeenCalledTimes(1);
  }
  await expect(releasing(stuck(), async () => 1)).rejects.toThrow('cannot');
});
