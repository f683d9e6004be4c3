import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DynamicMap } from './adamw-8bit.ts';
import { makeOptimizer, optimizerBytes } from './optimizer.ts';

const fixture = JSON.parse(readFileSync('src/methods/optim/fixtures/bnb.json', 'utf8')) as {
  shapes: number[][];
  steps: number;
  lr: number;
  maps: { signed: number[]; unsigned: number[] };
  cases: {
    weightDecay: number;
    values: string;
    m: string;
    v: string;
    mScales: number[];
    vScales: number[];
  }[];
};

/** The same gradients as in scripts/oracle/optim_8bit.py. */
function numbers(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const draw = (i * 1103515245 + step * 12345 + 7) % 2147483647;
    return draw % 11 ? (draw / 2 ** 30 - 1) * 10 ** ((draw % 5) - 3) : 0;
  });
}

let start = 0;
const tensors = fixture.shapes.map((shape, i) => {
  const size = shape.reduce((a, b) => a * b);
  start += size;
  return { shape, start: start - size, end: start, rate: 1, decays: i === 0 };
});
const length = start;
const optimizer = (weightDecay: number) =>
  makeOptimizer('adamw_bnb_8bit', tensors, { betas: [0.9, 0.999], eps: 1e-8, weightDecay });

describe('AdamW in 8 bits equals bitsandbytes', () => {
  it.each(['signed', 'unsigned'] as const)('in its %s numbers', (name) => {
    const { values } = new DynamicMap(name === 'signed');
    fixture.maps[name].forEach((number, i) =>
      // The oracle divides the interval in 32 bits.
      expect(Math.abs(values[i]! - number)).toBeLessThanOrEqual(3e-7 * Math.abs(number)),
    );
  });

  it.each(fixture.cases)('with weight decay $weightDecay', ({ weightDecay, ...expected }) => {
    const values = numbers(length, 0);
    let ours = optimizer(weightDecay);
    for (let step = 1; step <= fixture.steps; step++) {
      ours.step(values, numbers(length, step), fixture.lr);
      // Continues from the saved state, as a resumed run does.
      const state = structuredClone(ours.state());
      ours = optimizer(weightDecay);
      ours.restore(state);
    }
    const { vectors } = ours.state();
    const floats = new Float32Array(new Uint8Array(Buffer.from(expected.values, 'base64')).buffer);
    // A moment halfway between two bytes may be rounded to either. The value then moves by a fraction of the learning
    // rate.
    const far = values.filter(
      (value, i) => Math.abs(value - floats[i]!) > 1e-5 * Math.max(1, Math.abs(floats[i]!)),
    );
    expect(far.length).toBeLessThanOrEqual(length / 500);
    for (const name of ['m', 'v'] as const) {
      const theirs = Buffer.from(expected[name], 'base64');
      const bytes = vectors[`${name}.bytes`]!;
      expect(bytes).toHaveLength(theirs.length);
      const differing = bytes.filter((byte, i) => byte !== theirs[i]);
      expect(differing.length).toBeLessThanOrEqual(length / 500);
      vectors[`${name}.scales`]!.forEach((scale, i) =>
        expect(scale / expected[`${name}Scales`][i]!).toBeCloseTo(1, 5),
      );
    }
  });

  it('keeps less than a third of the bytes of 32-bit moments for large tensors', () => {
    const { vectors } = optimizer(0).state();
    const kept = Object.values(vectors).reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(kept).toBe(optimizerBytes('adamw_bnb_8bit', tensors));
    expect(kept).toBeLessThan(optimizerBytes('adamw_torch', tensors) / 3);
  });

  it('rejects a state of other tensors', () => {
    const { vectors, step } = optimizer(0).state();
    const other = { step, vectors: { ...vectors, 'm.bytes': new Uint8Array(3) } };
    expect(() => optimizer(0).restore(other)).toThrow('m.bytes has 3 elements in place of 4480');
  });

  it('moves moments to another layout, and forgets first ones', () => {
    const ours = optimizer(0);
    ours.step(numbers(length, 0), numbers(length, 1), fixture.lr);
    const { m, v, step } = ours.moments();
    const moved = optimizer(0);
    moved.adopt({ m, v, step });
    const again = moved.moments();
    // Encoding a second time may lose another half step of a code.
    again.m.forEach((value, i) =>
      expect(Math.abs(value - m[i]!)).toBeLessThanOrEqual(0.02 * Math.abs(m[i]!)),
    );
  });
});
