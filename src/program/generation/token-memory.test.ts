import { describe, expect, it } from 'vitest';
import { TokenMemory } from './cached-session.ts';
import { ReadTokens } from './read-tokens.ts';

const WIDTH = 2;

/** Makes a tensor [tokens, rows, 2] from the value of each row at each token. */
const tensor = (...tokens: number[][]) => ({
  data: Float32Array.from(tokens.flatMap((rows) => rows.flatMap((name) => [name, -name]))),
  dims: [tokens.length, tokens[0]!.length, WIDTH],
});

describe('TokenMemory', () => {
  const filled = () => {
    const memory = new TokenMemory(WIDTH);
    memory.reset(3);
    memory.append(tensor([1, 2, 3], [11, 12, 13]));
    memory.append(tensor([21, 22, 23]));
    return memory;
  };

  it('keeps appended values, also when it grows', () => {
    const memory = filled();
    expect(memory.tensor).toEqual(tensor([1, 2, 3], [11, 12, 13], [21, 22, 23]));
    const many = Array.from({ length: 50 }, (_, i) => [100 + i, 200 + i, 300 + i]);
    for (const rows of many) memory.append(tensor(rows));
    expect(memory.tensor).toEqual(tensor([1, 2, 3], [11, 12, 13], [21, 22, 23], ...many));
  });

  it.each([
    { parents: [0, 1, 2], kind: 'same' },
    { parents: [2, 0, 0], kind: 'other' },
    { parents: [1, 1, 2], kind: 'partly other' },
    { parents: [2], kind: 'fewer' },
    { parents: [0, 2], kind: 'fewer, in order' },
    { parents: [2, 1, 0, 0, 2], kind: 'more' },
  ])('continues $kind rows: $parents', ({ parents }) => {
    const memory = filled();
    memory.follow(Int32Array.from(parents));
    const chosen = [
      [1, 2, 3],
      [11, 12, 13],
      [21, 22, 23],
    ].map((rows) => parents.map((parent) => rows[parent]!));
    expect(memory.tensor).toEqual(tensor(...chosen));
    const next = parents.map((_, i) => 40 + i);
    memory.append(tensor(next));
    expect(memory.tensor).toEqual(tensor(...chosen, next));
  });

  it('does not copy rows that stay in place', () => {
    const memory = filled();
    const { data } = memory.tensor;
    memory.follow(Int32Array.of(0, 1, 2));
    expect(memory.tensor.data.buffer).toBe(data.buffer);
    memory.follow(Int32Array.of(2, 1));
    expect(memory.tensor.data.buffer).toBe(data.buffer);
  });

  it('keeps the common start of rows, through any changes', () => {
    const memory = new TokenMemory(WIDTH);
    memory.reset(2);
    memory.append(tensor([1, 2], [11, 12]));
    memory.follow(Int32Array.of(0, 0, 1, 1));
    memory.append(tensor([21, 22, 23, 24]));
    memory.follow(Int32Array.of(1, 0, 1, 3));
    memory.append(tensor([31, 32, 33, 34]));
    memory.follow(Int32Array.of(2, 2, 0, 3));
    const expected = [
      [1, 1, 1, 2],
      [11, 11, 11, 12],
      [22, 22, 22, 24],
      [33, 33, 31, 34],
    ];
    expect(memory.tensor).toEqual(tensor(...expected));
    memory.truncate(1);
    memory.append(tensor([41, 42, 43, 44]));
    memory.follow(Int32Array.of(1, 0, 3, 3));
    expect(memory.tensor).toEqual(tensor([1, 1, 2, 2], [42, 41, 44, 44]));
  });

  it('truncates', () => {
    const memory = filled();
    memory.truncate(1);
    memory.append(tensor([51, 52, 53]));
    expect(memory.tensor).toEqual(tensor([1, 2, 3], [51, 52, 53]));
    memory.reset(2);
    expect(memory.tensor).toEqual({ data: new Float32Array(0), dims: [0, 2, WIDTH] });
  });
});

it('ReadTokens counts real tokens, and follows rows', () => {
  const read = new ReadTokens();
  read.reset(2);
  expect([...read.append(3, Int32Array.of(0, 0, 1, 1, 1, 1))]).toEqual([0, 0, 0, 0, 1, 2]);
  expect([...read.append(1)]).toEqual([1, 3]);
  read.follow(Int32Array.of(1, 1, 0));
  expect([...read.append(1)]).toEqual([4, 4, 2]);
  expect(read.mask).toEqual({
    data: Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1),
    dims: [3, 5],
  });
  read.truncate(3);
  expect([...read.append(2)]).toEqual([3, 4, 3, 4, 1, 2]);
  expect(read.mask.dims).toEqual([3, 5]);
});
