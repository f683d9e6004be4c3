import { expect, it } from 'vitest';
import { measureLengths, SequenceBuilder } from './token-sequences.ts';

const example = (learnt: number[]) => ({
  ids: Int32Array.from(learnt, (_, i) => i),
  learnt: Uint8Array.from(learnt),
});

it('truncates examples, and rejects those without a label then', () => {
  const builder = new SequenceBuilder(3);
  expect(builder.addCut(example([0, 0, 1]))).toBe(true);
  expect(builder.addCut(example([0, 0, 1, 1, 1]))).toBe(true);
  expect(builder.addCut(example([0, 0, 0, 1]))).toBe(false);
  // The first token has no context, so it cannot be learned.
  expect(builder.addCut(example([1, 0, 0]))).toBe(false);
  const built = builder.build();
  expect([...built.tokens]).toEqual([0, 1, 2, 0, 1, 2]);
  expect([...built.learnt]).toEqual([0, 0, 1, 0, 0, 1]);
  expect(built).toMatchObject({ truncated: 1, starts: Int32Array.of(0, 3, 6) });
});

it('splits texts into blocks', () => {
  const builder = new SequenceBuilder(4);
  builder.addBlocks(
    Int32Array.from({ length: 9 }, (_, i) => i),
    2,
  );
  builder.addBlocks(Int32Array.of(7, 8), 2);
  const built = builder.build();
  expect([...measureLengths(built)]).toEqual([4, 4, 2]);
  expect([...built.tokens]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 8]);
});

it('grows without limit', () => {
  const builder = new SequenceBuilder(10_000);
  for (let i = 0; i < 5; i++) builder.addBlocks(new Int32Array(3000).fill(i), 1);
  const { tokens, learnt } = builder.build();
  expect([tokens.length, tokens[14_999], learnt.indexOf(0)]).toEqual([15_000, 4, -1]);
});
