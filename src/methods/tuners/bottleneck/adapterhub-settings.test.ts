import { describe, expect, it } from 'vitest';
import { adapterHubSettings, parseAdapterHubSettings, reductionFactor } from './adapterhub-settings.ts';

/** Python's `int(a // b)`: the remainder is exact, and the remaining quotient is rounded to an integer. */
const sizeOf = (width: number, factor: number) => Math.round((width - (width % factor)) / factor);

describe('the reduction factor', () => {
  it('gives AdapterHub the same bottleneck for every width', () => {
    for (const width of [8, 32, 312, 384, 768, 1000, 1024, 4096])
      for (let bottleneck = 1; bottleneck <= 2 * width; bottleneck++)
        if (sizeOf(width, reductionFactor(width, bottleneck)) !== bottleneck)
          expect.unreachable(`${width} / ${bottleneck}`);
  });

  it('is the quotient if that is enough', () => {
    expect(reductionFactor(768, 48)).toBe(16);
    expect(reductionFactor(384, 7)).toBe(384 / 7);
    // In binary, 32 / 5 is slightly more than 6.4. So it fits into 32 only four times.
    expect(sizeOf(32, 32 / 5)).toBe(4);
    expect(reductionFactor(32, 5)).toBeLessThan(32 / 5);
    expect(reductionFactor(32, 5)).toBeCloseTo(6.4, 14);
  });
});

const FORM = { reads: 'norm', nonLinearity: 'gelu' } as const;
const SETTINGS = adapterHubSettings(FORM, ['feedForward'], 768, 48);

describe("AdapterHub's settings", () => {
  it('state the positions of adapters, and round-trip', () => {
    expect(SETTINGS).toMatchObject({
      mh_adapter: false,
      cross_adapter: false,
      output_adapter: true,
      original_ln_before: true,
      non_linearity: 'gelu',
      reduction_factor: 16,
    });
    expect(parseAdapterHubSettings(SETTINGS, 'test')).toEqual(FORM);
  });

  it('of older versions lack keys', () => {
    const old = { mh_adapter: true, output_adapter: true, reduction_factor: 16, non_linearity: 'LeakyReLU' };
    expect(parseAdapterHubSettings(old, 'test')).toEqual({ reads: 'output', nonLinearity: 'leaky_relu' });
    expect(parseAdapterHubSettings({ non_linearity: null }, 'test').nonLinearity).toBe('linear');
  });

  it('may have any residual settings if only the output is read', () => {
    const output = { ...SETTINGS, original_ln_before: false, residual_before_ln: 'post_add' };
    expect(parseAdapterHubSettings(output, 'test').reads).toBe('output');
  });

  it.each([
    ['architecture', 'lora', 'null', '"lora"'],
    ['ln_after', true, 'false', 'true'],
    ['original_ln_after', false, 'true', 'false'],
    ['is_parallel', true, 'false', 'true'],
    ['phm_layer', true, 'false', 'true'],
    ['use_gating', true, 'false', 'true'],
    ['inv_adapter', 'nice', 'null', '"nice"'],
    ['scaling', 'learned', '1', '"learned"'],
    ['residual_before_ln', false, 'true', 'false'],
  ])('of other adapters are rejected: %s', (key, value, expected, got) => {
    expect(() => parseAdapterHubSettings({ ...SETTINGS, [key]: value }, 'test')).toThrow(
      `test: config.${key} must be ${expected}, got ${got}. Only adapters with the AdapterHub configs`,
    );
  });

  it('name a known activation', () => {
    expect(() => parseAdapterHubSettings({ ...SETTINGS, non_linearity: 'prelu' }, 'test')).toThrow(
      'test: config.non_linearity is not a known activation: "prelu". Did you mean ',
    );
  });
});
