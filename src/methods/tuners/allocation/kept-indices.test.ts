import { expect, it } from 'vitest';
import { ParameterLayout } from '../parameter-layout.ts';
import { keptIndices } from './pruned-module.ts';

const layout = (ranks: { a: number; b: number }, order: ('a' | 'b')[]) =>
  new ParameterLayout([
    ...order.map((path) => ({ name: `${path}.lora_A`, shape: [ranks[path], 2] })),
    ...order.map((path) => ({ name: `${path}.lora_B`, shape: [2, ranks[path]] })),
    ...order.map((path) => ({ name: `${path}.lora_E`, shape: [ranks[path]] })),
    { name: 'classifier.bias', shape: [2] },
  ]);

const module = (path: string, rank: number) => ({ path, rank, inFeatures: 2, outFeatures: 2, scale: 1 });

it('moves kept rows of lora_A, columns of lora_B and elements of lora_E to a layout in another order', () => {
  const before = layout({ a: 3, b: 1 }, ['a', 'b']); // A at 0 and 6, B at 8 and 14, E at 16 and 19, head at 20.
  const after = layout({ a: 2, b: 0 }, ['b', 'a']);
  const keep = [Uint8Array.from([1, 0, 1]), Uint8Array.from([0])];
  expect([...keptIndices([module('a', 3), module('b', 1)], keep, before, after)]).toEqual([
    ...[0, 1, 4, 5],
    ...[8, 10, 11, 13],
    ...[16, 18],
    ...[20, 21],
  ]);
});

it('rejects a layout with other ranks than the pattern keeps', () => {
  const before = layout({ a: 3, b: 1 }, ['a', 'b']);
  const keep = [Uint8Array.from([1, 0, 0]), Uint8Array.from([1])];
  expect(() => keptIndices([module('a', 3), module('b', 1)], keep, before, before)).toThrow('a.lora_A');
});
