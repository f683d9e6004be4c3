import { expect, it } from 'vitest';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { ParameterLayout } from '../parameter-layout.ts';
import { componentScores } from './importance.ts';
import { dropComponent, findSpan, keptIndices, prunedModules, shifted } from './pruned-module.ts';

// A [2, 3] at 1, B [2, 2] at 8; with λ at 12.
const sizes = { name: 'm', rank: 2, inFeatures: 3, outFeatures: 2 };
const doublets = { ...sizes, offsets: { A: 1, B: 8 } };
const triplets = { ...sizes, offsets: { A: 1, B: 8, E: 12 } };
const values = () => Float32Array.from({ length: 15 }, (_, i) => i + 1);

it('drops a doublet by zeroing both halves, a triplet by λ', () => {
  const pairs = values();
  dropComponent(doublets, 1, pairs);
  expect([...pairs]).toEqual([1, 2, 3, 4, 0, 0, 0, 8, 9, 0, 11, 0, 13, 14, 15]);
  const threes = values();
  dropComponent(triplets, 0, threes);
  expect([...threes]).toEqual([...values()].map((value, i) => (i === 12 ? 0 : value)));
});

it('scores a doublet by the mean over its row plus that over its column, a triplet also by λ', () => {
  const sensitivity = (i: number) => values()[i]!;
  const halved = (i: number) => values()[i]! / 2;
  // Rows of A: 2 3 4 and 5 6 7; columns of B: 9 11 and 10 12; λ: 13 and 14.
  expect([...componentScores(doublets, sensitivity)]).toEqual([3 + 10, 6 + 11]);
  expect([...componentScores(doublets, halved)]).toEqual([6.5, 8.5]);
  expect([...componentScores(triplets, halved)]).toEqual([6.5 + 6.5, 8.5 + 7]);
});

it('has its part of the vector', () => {
  expect(findSpan([doublets])).toEqual([1, 12]);
  expect(findSpan([triplets])).toEqual([1, 14]);
  expect(findSpan([shifted(doublets, -1), shifted(triplets, 3)])).toEqual([0, 17]);
});

it("is where a tuner's layout puts it", () => {
  const modules = ['a', 'b'].map((path) => ({
    path,
    rank: 2,
    inFeatures: 3,
    outFeatures: 2,
    scale: 1,
  }));
  expect(prunedModules(new LoraTuner({ lora_dropout: 0 }, modules, []))).toEqual([
    { ...sizes, name: 'a', offsets: { A: 0, B: 6 } },
    { ...sizes, name: 'b', offsets: { A: 10, B: 16 } },
  ]);
});

const layout = (ranks: { a: number; b: number }, order: ('a' | 'b')[]) =>
  new ParameterLayout([
    ...order.map((path) => ({ name: `${path}.lora_A`, shape: [ranks[path], 2] })),
    ...order.map((path) => ({ name: `${path}.lora_B`, shape: [2, ranks[path]] })),
    ...order.map((path) => ({ name: `${path}.lora_E`, shape: [ranks[path]] })),
    { name: 'classifier.bias', shape: [2] },
  ]);

const module = (path: string, rank: number) => ({ path, rank, inFeatures: 2, outFeatures: 2, scale: 1 });

it('keptIndices moves kept rows of lora_A, columns of lora_B and elements of lora_E to a layout in another order', () => {
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

it('keptIndices rejects a layout with other ranks than the pattern keeps', () => {
  const before = layout({ a: 3, b: 1 }, ['a', 'b']);
  const keep = [Uint8Array.from([1, 0, 0]), Uint8Array.from([1])];
  expect(() => keptIndices([module('a', 3), module('b', 1)], keep, before, before)).toThrow('a.lora_A');
});
