import { expect, it } from 'vitest';
import type { BankForm } from '../../methods/tuners/bank/bank-form.ts';
import type { PackedAdapter } from '../../methods/tuners/bank/packed-adapter.ts';
import { PackedCache } from './served-adapter.ts';

/** An adapter of 4 bytes. */
function adapter(): PackedAdapter {
  const pieces = new Map([['q', { size: 1, tensors: { A: new Float32Array(1) } }]]);
  return new Map([['form', { form: {} as BankForm, pieces }]]);
}

/** Counts how often the adapter of a key is read. */
function counted() {
  let reads = 0;
  const make = async () => {
    reads++;
    return adapter();
  };
  return { make, reads: () => reads };
}

it('requests at the same time share one read', async () => {
  const cache = new PackedCache(100);
  const { make, reads } = counted();
  const key = {};
  const [first, second] = await Promise.all([cache.get(key, make), cache.get(key, make)]);
  expect(first).toBe(second);
  expect(await cache.get(key, make)).toBe(first);
  expect(reads()).toBe(1);
});

it('the least recently used adapters are dropped at the limit', async () => {
  const cache = new PackedCache(8);
  const [a, b, c] = [{}, {}, {}];
  const { make, reads } = counted();
  for (const key of [a, b, a, c, a]) await cache.get(key, make);
  expect(reads()).toBe(3);
  await cache.get(b, make);
  expect(reads()).toBe(4);
});

it('a failed read is not cached', async () => {
  const cache = new PackedCache(8);
  const key = {};
  await expect(cache.get(key, () => Promise.reject(new Error('damaged')))).rejects.toThrow('damaged');
  expect((await cache.get(key, async () => adapter())).size).toBe(1);
});

it('an adapter that is forgotten while it is read takes no room', async () => {
  const cache = new PackedCache(4);
  const [forgotten, key] = [{}, {}];
  const read = cache.get(forgotten, async () => adapter());
  cache.forget(forgotten);
  const { make, reads } = counted();
  expect(await cache.get(forgotten, make)).toBe(await read);
  await cache.get(key, make);
  await cache.get(key, make);
  expect(reads()).toBe(1);
});
