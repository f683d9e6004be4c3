import { expect, it } from 'vitest';
import { AdapterBank } from './adapter-bank.ts';
import { NO_ADAPTER, type PackedAdapter } from './packed-adapter.ts';

/** An adapter without content, with a rank only. */
const packed = (rank: number): PackedAdapter => ({
  ...NO_ADAPTER,
  factors: new Map([['q', { rank, a: Float32Array.of(rank), b: new Float32Array(1) }]]),
});
const PARTS = [
  {
    name: 'A q',
    shape: [1, 2],
    write: ({ factors }: PackedAdapter, slot: Float32Array) => slot.set(factors.get('q')!.a),
  },
];
const NONE = new Set<object>();

it('writes an adapter once, into the least recently used slot', () => {
  const bank = new AdapterBank(PARTS, 2);
  const [a, b, c] = [1, 2, 3].map((id) => ({ id }));
  expect([bank.place(a, packed(5), NONE), bank.place(b, packed(6), NONE)]).toEqual([true, true]);
  const { 'A q': tensor, slots } = bank.feeds([b, a, b]);
  const numbers = () => Array.from(bank.feeds([]).slots.data).concat(Array.from(tensor.data));
  expect(tensor.dims).toEqual([2, 1, 2]);
  expect(Array.from(slots.data, (slot) => tensor.data[2 * slot])).toEqual([6, 5, 6]);
  // a is used again, so b is now the least recently used.
  bank.place(a, packed(99), NONE);
  bank.place(c, packed(7), NONE);
  expect(numbers().sort()).toEqual([0, 0, 5, 7]);
  expect(() => bank.feeds([b])).toThrow('an adapter without a slot');
});

it('keeps adapters that must stay', () => {
  const bank = new AdapterBank(PARTS, 2);
  const [a, b, c] = [1, 2, 3].map((id) => ({ id }));
  bank.place(a, packed(5), NONE);
  bank.place(b, packed(6), NONE);
  expect(bank.place(c, packed(7), new Set([a, b]))).toBe(false);
  expect(bank.place(c, packed(7), new Set([a]))).toBe(true);
  expect(bank.feeds([a, c]).slots.data).toHaveLength(2);
});
