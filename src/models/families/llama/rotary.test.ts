import { describe, expect, it } from 'vitest';
import { readRotary } from './rotary.ts';
import { rotaryFields, withRotaryFields } from './rotary-fields.ts';

const rotary = (rope_parameters: object, maxLength = 64) => {
  const { rope_parameters: fields } = withRotaryFields({ rope_parameters }) as { rope_parameters: object };
  return readRotary(rotaryFields.parse(fields), 16, maxLength);
};

const llama3 = { rope_type: 'llama3', rope_theta: 500, factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
const yarn = { rope_type: 'yarn', rope_theta: 500, factor: 4, original_max_position_embeddings: 64 };
const blended = { ...yarn, factor: null, beta_fast: 6, beta_slow: 2, truncate: false };

// biome-ignore format: a case, its frequencies, its scale.
/** `inv_freq` and `attention_scaling` from transformers 5.24.0, for heads of size 16. */
const CASES: [object, number, number[], number][] = [
  [{ rope_theta: 500_000 }, 64,
    [1, 0.193922758, 0.0376060307, 0.00729266508, 0.00141421345, 0.000274248188, 5.31829573e-5, 1.03133852e-5], 1],
  [{ rope_type: 'linear', factor: 3 }, 64,
    [0.333333343, 0.105409257, 0.0333333351, 0.0105409259, 0.00333333318, 0.00105409266, 0.000333333359, 0.000105409265], 1],
  [{ ...llama3, original_max_position_embeddings: 64 }, 512,
    [1, 0.459863275, 0.0976166278, 0.0121561559, 0.00559017016, 0.0025707141, 0.00118217699, 0.000543639821], 1],
  [yarn, 256,
    [1, 0.344897449, 0.10573712, 0.0243123118, 0.0111803403, 0.00514142821, 0.00236435398, 0.00108727964], 1.138629436111989],
  [{ ...blended, mscale: 0.7, mscale_all_dim: 1.3 }, 256,
    [1, 0.382138371, 0.0635817349, 0.0243123118, 0.0111803403, 0.00514142821, 0.00236435398, 0.00108727964], 0.9295234923939468],
  [{ ...yarn, attention_factor: 0.6 }, 64,
    [1, 0.344897449, 0.10573712, 0.0243123118, 0.0111803403, 0.00514142821, 0.00236435398, 0.00108727964], 0.6],
];

describe('frequencies and scale', () => {
  it.each(CASES)('of %j', (fields, maxLength, frequencies, scale) => {
    const actual = rotary(fields, maxLength);
    // Two units in the last place of float32.
    const errors = actual.frequencies.map((frequency, i) => Math.abs(frequency / frequencies[i]! - 1));
    expect(Math.max(...errors)).toBeLessThan(2 ** -22);
    expect(actual.scale).toBeCloseTo(scale, 12);
  });

  it('equal those without scaling for short lengths', () => {
    const { stretch, ...rest } = rotary({ rope_type: 'dynamic', factor: 3 });
    expect(rest).toEqual(rotary({}));
    expect(stretch).toEqual({ factor: 3, length: 64 });
  });
});

describe('the older form', () => {
  const read = (json: object) => (withRotaryFields(json) as { rope_parameters: object }).rope_parameters;

  it.each([
    [{}, { rope_type: 'default', rope_theta: 10_000 }],
    [
      { rope_theta: 500, rope_scaling: null },
      { rope_type: 'default', rope_theta: 500 },
    ],
    [
      { rope_theta: 500, rope_scaling: { type: 'linear', factor: 2 } },
      { rope_type: 'linear', rope_theta: 500, type: 'linear', factor: 2 },
    ],
    [
      { rope_theta: 500, rope_parameters: { rope_type: 'default', rope_theta: 77 } },
      { rope_type: 'default', rope_theta: 77 },
    ],
    [
      { rope_scaling: { rope_type: 'linear', factor: 2 }, rope_parameters: { rope_theta: 77 } },
      { rope_type: 'linear', rope_theta: 10_000, factor: 2 },
    ],
    [
      { original_max_position_embeddings: 8, rope_scaling: { rope_type: 'yarn', factor: 2 } },
      { rope_type: 'yarn', rope_theta: 10_000, factor: 2 },
    ],
    [
      { partial_rotary_factor: 0.5, rope_scaling: { partial_rotary_factor: 0.25 } },
      { rope_type: 'default', rope_theta: 10_000, partial_rotary_factor: 0.25 },
    ],
  ])('%j is read as in transformers', (json, expected) => expect(read(json)).toEqual(expected));
});
