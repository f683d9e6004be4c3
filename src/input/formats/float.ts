import { lazy } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * Converts arrays between f32 and the 16-bit formats f16 and bf16, which JavaScript holds as raw bits in a
 * Uint16Array. Widening is exact. Narrowing rounds to nearest, ties to even. A NaN stays a (quiet) NaN of the
 * same sign.
 */

/** Converts IEEE 754 binary16 bits to f32. */
export function f16ToF32(bits: Uint16Array): Float32Array {
  const table = f16Table();
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
  return new Float32Array(out.buffer);
}

/**
 * Converts f32 to IEEE 754 binary16 bits. Magnitudes from 65520 on become infinity; magnitudes up to 2^-25
 * become zero.
 */
export function f32ToF16(values: Float32Array): Uint16Array {
  const source = viewBits(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const sign = (source[i]! >>> 16) & 0x8000;
    out[i] = sign | magnitudeToF16(source[i]! & 0x7fffffff);
  }
  return out;
}

/** Converts bfloat16 bits to f32. */
export function bf16ToF32(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Converts f32 to bfloat16 bits. */
export function f32ToBf16(values: Float32Array): Uint16Array {
  const source = viewBits(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const x = source[i]!;
    const nan = (x & 0x7fffffff) > F32_INFINITY;
    out[i] = nan ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return out;
}

const F32_INFINITY = 0x7f800000;
const F16_INFINITY = 0x7c00;
/** Difference between the exponent biases, 127 - 15, shifted to the position of the exponent. */
const REBIAS = 112 << 23;

/** The f32 bits of all 65536 f16 values. The table takes 256 KB. */
const f16Table = lazy(() => {
  const table = new Uint32Array(0x10000);
  const float = new Float32Array(1);
  const floatBits = new Uint32Array(float.buffer);
  for (let half = 0; half < 0x10000; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = half & 0x7c00;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      float[0] = fraction * 2 ** -24;
      table[half] = sign | floatBits[0]!;
    } else {
      const bias = exponent === F16_INFINITY ? 2 * REBIAS : REBIAS;
      table[half] = sign | (((half & 0x7fff) << 13) + bias);
    }
  }
  return table;
});

/** Rounds a magnitude to f16 bits. `x` is the bits of an f32 without its sign. */
function magnitudeToF16(x: number): number {
  if (x > F32_INFINITY) return 0x7e00 | ((x >>> 13) & 0x3ff);
  if (x >= 0x477ff000) return F16_INFINITY;
  if (x >= 0x38800000) return (x - REBIAS + 0xfff + ((x >>> 13) & 1)) >>> 13;
  if (x <= 0x33000000) return 0;
  // The result is subnormal. It is significand · 2^(exponent - 150), counted in units of 2^-24.
  const significand = (x & 0x7fffff) | 0x800000;
  const shift = 126 - (x >>> 23);
  const units = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (units & 1) === 1) ? units + 1 : units;
}

function viewBits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** float16 rounds this number and larger ones to infinity. */
const F16_OVERFLOW = 65520;

/**
 * Like {@link f32ToF16}.
 *
 * @throws UserError with this place and hint for a value that float16 rounds to infinity
 */
export function finiteF16(values: Float32Array, where: string, hint: string): Uint16Array {
  const beyond = values.find((value) => Math.abs(value) >= F16_OVERFLOW);
  if (beyond === undefined) return f32ToF16(values);
  const fault = `has the value ${beyond}, beyond float16's limit of ${F16_OVERFLOW}`;
  throw new UserError({ where, fault, hint });
}
