import { expect, it } from 'vitest';
import type { BankForm } from '../../../methods/tuners/bank/bank-form.ts';
import type { PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import { AdapterBank } from './adapter-bank.ts';
import type { BankPart } from './bank-injection.ts';

const FORM: BankForm = { key: 'q', inject: () => ({}) };
/** An adapter with one number. */
const packed = (a: number): PackedAdapter =>
  new Map([['q', { form: FORM, pieces: new Map([['q', { size: 1, tensors: { a: Float32Array.of(a) } }]]) }]]);
const PARTS: BankPart[] = [
  {
    name: 'A q',
    shape: [1, 2],
    write: (adapter, slot) => slot.set(adapter.get('q')!.pieces.get('q')!.tensors.a!),
  },
];
const NONE = new Set<object>();

it('writes an adapter once, into the least recently used slot', () => {
  const bank = new AdapterBank(PARTS, 2);
  const [a, b, c] = [1, 2, 3].map((id) => ({ id }));
  expect([bank.place(a!, packed(5), NONE), bank.place(b!, packed(6), NONE)]).toEqual([true, true]);
  const { 'A q': tensor, slots } = bank.feeds([b!, a!, b!]);
  const numbers = () => Array.from(bank.feeds([]).slots!.data).concat(Array.from(tensor!.data));
  expect(tensor!.dims).toEqual([2, 1, 2]);
  expect(Array.from(slots!.data, (slot) => tensor!.data[2 * slot])).toEqual([6, 5, 6]);
  // a is used again, so b is now the least recently used.
  bank.place(a!, packed(99), NONE);
  bank.place(c!, packed(7), NONE);
  expect(numbers().sort()).toEqual([0, 0, 5, 7]);
  expect(() => bank.feeds([b!])).toThrow('an adapter without a slot');
});

it('keeps adapters that must stay', () => {
  const bank = new AdapterBank(PARTS, 2);
  const [a, b, c] = [1, 2, 3].map((id) => ({ id }));
  bank.place(a!, packed(5), NONE);
  bank.place(b!, packed(6), NONE);
  expect(bank.place(c!, packed(7), new Set([a!, b!]))).toBe(false);
  expect(bank.place(c!, packed(7), new Set([a!]))).toBe(true);
  expect(bank.feeds([a!, c!]).slots!.data).toHaveLength(2);
});

it('keeps its slots if an adapter does not fit into one', () => {
  const bank = new AdapterBank(PARTS, 2);
  const wide = new Map([
    ['q', { form: FORM, pieces: new Map([['q', { size: 9, tensors: { a: new Float32Array(9) } }]]) }],
  ]);
  const [a, b, c] = [1, 2, 3].map((id) => ({ id }));
  bank.place(a!, packed(5), NONE);
  for (let i = 0; i < 3; i++) expect(() => bank.place(b!, wide, new Set([a!]))).toThrow(RangeError);
  expect(bank.place(c!, packed(6), new Set([a!]))).toBe(true);
  const { slots, 'A q': tensor } = bank.feeds([a!, c!]);
  expect(Array.from(slots!.data, (slot) => tensor!.data[2 * slot])).toEqual([5, 6]);
});
