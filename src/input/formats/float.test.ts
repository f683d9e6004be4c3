import { Float16Array, f16round } from '@petamoriken/float16';
import { describe, expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './float.ts';

const everyPattern = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
const f32 = (bits: number[]) => new Float32Array(Uint32Array.from(bits).buffer);
const bits = (values: Float32Array) => [...new Uint32Array(values.buffer)];

describe('float16', () => {
  it('widens every pattern like the oracle', () => {
    const oracle = Float32Array.from(new Float16Array(everyPattern.slice().buffer));
    const widened = f16ToF32(everyPattern);
    const differing = everyPattern.filter((i) => !Object.is(widened[i], oracle[i]));
    expect([...differing]).toEqual([]);
  });

  it('narrows back to the same pattern, NaNs to quiet NaNs of the same sign', () => {
    const narrowed = f32ToF16(f16ToF32(everyPattern));
    const nan = (half: number) => (half & 0x7fff) > 0x7c00;
    const differing = everyPattern.filter((half) => narrowed[half] !== (nan(half) ? half | 0x200 : half));
    expect([...differing]).toEqual([]);
  });

  it('rounds to nearest even: around every value and every midpoint', () => {
    const finite = f16ToF32(everyPattern.slice(0, 0x7c01));
    const samples: number[] = [65504, 65519.99609375, 65520, 65536, 3e38];
    for (let i = 0; i + 1 < 0x7c00; i++) {
      const middle = (finite[i]! + finite[i + 1]!) / 2;
      const ulp = Math.max(middle * 2 ** -23, 2 ** -149);
      samples.push(middle, middle + ulp, middle - ulp);
    }
    const values = Float32Array.from(samples.flatMap((x) => [x, -x]));
    const narrowed = f16ToF32(f32ToF16(values));
    const differing = values.filter((x, i) => !Object.is(narrowed[i], f16round(x)));
    expect([...differing]).toEqual([]);
  });

  it('rounds random bit patterns like the oracle', () => {
    const random = new Random(3, 'float16');
    const values = f32(Array.from({ length: 200_000 }, () => random.uint32()));
    const narrowed = f16ToF32(f32ToF16(values));
    const differing = values.filter((x, i) => !Object.is(narrowed[i], f16round(x)));
    expect([...differing]).toEqual([]);
  });

  it('reads a view that does not start at its buffer', () => {
    expect([...f32ToF16(new Float32Array([9, 1, 2]).subarray(1))]).toEqual([0x3c00, 0x4000]);
  });
});

describe('bfloat16', () => {
  it('is the upper half of an f32, and back', () => {
    expect(bits(bf16ToF32(everyPattern))).toEqual([...everyPattern].map((half) => half * 0x10000));
    const back = f32ToBf16(bf16ToF32(everyPattern));
    const nan = (half: number) => (half & 0x7fff) > 0x7f80;
    expect([...everyPattern.filter((half) => back[half] !== (nan(half) ? half | 0x40 : half))]).toEqual([]);
  });

  it.each([
    ['a tie goes to even, down', 0x3f808000, 0x3f80],
    ['a tie goes to even, up', 0x3f818000, 0x3f82],
    ['above a tie', 0x3f808001, 0x3f81],
    ['below a tie', 0x3f807fff, 0x3f80],
    ['a carry into the exponent', 0x3fffffff, 0x4000],
    ['overflow', 0x7f7fffff, 0x7f80],
    ['negative overflow', 0xff7fffff, 0xff80],
    ['infinity', 0x7f800000, 0x7f80],
    ['a NaN with only low payload bits', 0x7f800001, 0x7fc0],
    ['a negative NaN', 0xffffffff, 0xffff],
    ['smallest subnormal', 0x00000001, 0x0000],
    ['subnormal', 0x00018000, 0x0002],
    ['minus zero', 0x80000000, 0x8000],
  ])('%s', (_, from, to) => {
    expect(f32ToBf16(f32([from]))[0]).toBe(to);
  });
});
