import { describe, expect, it } from 'vitest';
import { Random, threefry } from './random.ts';
import { nearest, printable, suggest } from './text.ts';
import { UserError } from './user-error.ts';

describe('Random', () => {
  it.each([
    // Known-answer vectors that Random123 publishes for threefry2x32-20.
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])('threefry(%j, %j)', (key, counter, expected) => {
    const out = new Uint32Array(3);
    threefry(key[0]!, key[1]!, counter[0]!, counter[1]!, out, 1);
    expect([...out]).toEqual([0, ...expected]);
  });

  it('depends on seed, stream and step', () => {
    const draw = (seed: number, stream: string, step: number) => new Random(seed, stream, step).uint32();
    const draws = [draw(0, 'a', 0), draw(1, 'a', 0), draw(0, 'b', 0), draw(0, 'a', 1), draw(2 ** 33, 'a', 0)];
    expect(new Set(draws).size).toBe(draws.length);
    expect(draw(0, 'a', 0)).toBe(draws[0]);
  });

  it('gives numbers in place as one after the other', () => {
    const [random, same] = [new Random(5, 'a', 2), new Random(5, 'a', 2)];
    const numbers = new Uint32Array(6);
    random.uint32s(4, numbers);
    const inTurn = Array.from({ length: 10 }, () => same.uint32());
    expect([...numbers]).toEqual(inTurn.slice(4));
    expect(random.uint32()).toBe(inTurn[0]);
  });

  it('draws standard normals', () => {
    const values = new Random(7, 'normal').normals(20_000, 1);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03); // Four standard errors.
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });

  it('permutes', () => {
    const order = new Random(1, 'order').permutation(50);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...order]).not.toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});

describe('names', () => {
  it('are compared and listed up to a limit', () => {
    const long = 'a'.repeat(1e6);
    expect(nearest(long, [`${long}b`])).toEqual([]);
    expect(nearest('label', [long, 'labels'])).toEqual(['labels']);
    const many = Array.from({ length: 1000 }, (_, i) => `${i}`.repeat(9));
    expect(suggest('label', many)).toMatch(
      /^Known: 000000000, .{400,1000}, 393939393939393939 and 960 more\.$/,
    );
  });

  it('suggests the nearest, or lists all', () => {
    expect(nearest('querry', ['query', 'key', 'value'])).toEqual(['query']);
    expect(nearest('epochs', ['eval_steps', 'num_train_epochs'])).toEqual(['num_train_epochs']);
    expect(suggest('querry', ['query', 'key'])).toBe('Did you mean query?');
    expect(suggest('zzzzzzzz', ['query', 'key'])).toBe('Known: query, key.');
  });

  it('states the place, the problem and the remedy', () => {
    const mismatch = { key: 'seed', expected: 'a number', got: '"x"' };
    const error = new UserError({ where: 'a.yaml:3', ...mismatch, hint: 'Write 3.' });
    expect(error.message).toBe('a.yaml:3: `seed` must be a number, got "x". Write 3.');
    const long = new UserError({ ...mismatch, got: 'x'.repeat(1e6) });
    expect(long.message).toMatch(/^`seed` must be a number, got x{1000}…\.$/);
    expect(new UserError({ where: 'a.csv:2', fault: 'is empty' }).message).toBe('a.csv:2 is empty.');
  });
});

it('printable escapes control sequences of a terminal, and nothing else', () => {
  expect(printable('run\u001b]0;title\u0007 \u009b2J\u202e a\r\n\tb ü 猫')).toBe(
    'run\\u{1b}]0;title\\u{7} \\u{9b}2J\\u{202e} a\\u{d}\n\tb ü 猫',
  );
});
