import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gatherValues } from '../../support/numbers.ts';
import { AdamW } from './adamw.ts';
import { accumulate, clipByGlobalNorm, globalNorm } from './gradient.ts';
import {
  countWarmupSteps,
  type LrSchedulerType,
  learningRateFactor,
  type ScheduleOptions,
} from './schedule.ts';

interface Fixture {
  adamw: {
    options: { betas: [number, number]; eps: number; weightDecay: number };
    lr: number;
    clip: number;
    decayed: number;
    initial: number[];
    gradients: number[][];
    norms: (number | null)[];
    values: number[][];
    m: number[];
    v: number[];
  }[];
  schedules: {
    type: LrSchedulerType;
    warmup: number;
    total: number;
    rate?: number;
    options?: ScheduleOptions;
    factors: number[];
  }[];
}

const fixture = JSON.parse(readFileSync('src/methods/optim/fixtures/oracle.json', 'utf8')) as Fixture;
/** The size of a few float32 rounding errors. */
const EPSILON = 4e-7;

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    expect(error, `${i}: ${actual[i]} against ${expected[i]}`).toBeLessThanOrEqual(
      EPSILON * Math.abs(expected[i]!) + 1e-30,
    );
  }
}

describe('AdamW equals torch', () => {
  it.each(fixture.adamw)('weight decay $options.weightDecay, clip $clip', (trace) => {
    const values = new Float32Array(trace.initial);
    const optimizer = new AdamW(values.length, {
      ...trace.options,
      decay: [{ start: 0, end: trace.decayed }],
    });
    trace.gradients.forEach((row, step) => {
      const gradient = new Float32Array(row);
      const norm = clipByGlobalNorm(gradient, trace.clip);
      if (trace.norms[step] !== null) expectNear([norm], [trace.norms[step]!]);
      optimizer.step(values, gradient, trace.lr);
      for (let i = 0; i < values.length; i++) {
        const wanted = trace.values[step]![i]!;
        // One unit in the last place per step: torch rounds every operation to float32, we round every stored value.
        const bound = 2 ** -23 * (step + 1) * Math.max(1, Math.abs(wanted));
        expect(Math.abs(values[i]! - wanted)).toBeLessThanOrEqual(bound);
      }
    });
    const { m, v, step } = optimizer.moments;
    expect(step).toBe(trace.gradients.length);
    for (let i = 0; i < m.length; i++) expect(Math.abs(m[i]! - trace.m[i]!)).toBeLessThan(1e-6);
    expectNear(v, trace.v);
  });

  it('continues from a restored state bit for bit', () => {
    const { initial, gradients, options, lr } = fixture.adamw[2]!;
    const whole = new Float32Array(initial);
    const first = new AdamW(whole.length, options);
    const halves = new Float32Array(initial);
    let second = new AdamW(halves.length, options);
    gradients.forEach((row, i) => {
      first.step(whole, new Float32Array(row), lr);
      if (i === 5) {
        const state = structuredClone(second.moments);
        second = new AdamW(halves.length, options);
        second.adopt(state);
      }
      second.step(halves, new Float32Array(row), lr);
    });
    expect(halves).toEqual(whole);
  });

  it('decays inner ranges only', () => {
    const values = new Float32Array(5).fill(1);
    const decay = [
      { start: 1, end: 2 },
      { start: 3, end: 4 },
    ];
    new AdamW(5, { weightDecay: 0.5, decay }).step(values, new Float32Array(5), 0.5);
    expect([...values]).toEqual([1, 0.75, 1, 0.75, 1]);
  });

  it.each([
    [[{ start: 0, end: 4 }]],
    [
      [
        { start: 2, end: 3 },
        { start: 0, end: 1 },
      ],
    ],
    [
      [
        { start: 0, end: 2 },
        { start: 1, end: 3 },
      ],
    ],
  ])('rejects decay ranges %j', (decay) => {
    expect(() => new AdamW(3, { decay })).toThrow('decay ranges');
  });

  it('rejects a vector of another length', () => {
    expect(() => new AdamW(2).step(new Float32Array(3), new Float32Array(3), 1)).toThrow('got 3 values');
  });
});

describe('schedules equal transformers', () => {
  it.each(fixture.schedules)(
    '$type, $warmup of $total, $options',
    ({ type, warmup, total, rate = 1, options, factors }) => {
      const at = { warmupSteps: warmup, totalSteps: total, rate };
      const ours = factors.map((_, step) => learningRateFactor(type, { step, ...at }, options));
      // torch's factors are differences of numbers near 1, so factors near 0 contain rounding errors.
      ours.forEach((factor, i) => expect(Math.abs(factor - factors[i]!)).toBeLessThan(1e-12));
    },
  );

  it('rounds a share of warm-up up', () => {
    expect(countWarmupSteps(0.06, 1072)).toBe(65);
    expect(countWarmupSteps(0, 10)).toBe(0);
  });
});

describe('flat vectors', () => {
  it('has no finite norm if an element is not finite', () => {
    expect(globalNorm(new Float32Array([3, 4]))).toBe(5);
    expect(globalNorm(new Float32Array([1e30, 1e30]))).toBeCloseTo(Math.SQRT2 * 1e30, -24);
    const gradient = new Float32Array([1, Number.NaN, 2]);
    expect(clipByGlobalNorm(gradient, 1)).toBeNaN();
    expect([...gradient]).toEqual([1, Number.NaN, 2]);
    expect(clipByGlobalNorm(new Float32Array([Number.POSITIVE_INFINITY]), 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('accumulates and gathers', () => {
    const total = new Float32Array([1, 2, 3]);
    accumulate(total, new Float32Array([2, 4, 6]), 0.5);
    expect([...total]).toEqual([2, 4, 6]);
    expect([...gatherValues(total, new Int32Array([2, 0]))]).toEqual([6, 2]);
  });
});
