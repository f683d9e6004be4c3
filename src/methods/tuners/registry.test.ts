import { describe, expect, it } from 'vitest';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { formatTitle } from './method-definition.ts';
import { adapterKinds, findKind, type MethodName, methodNamed } from './registry.ts';

const stored = (config: object): StoredAdapter => ({
  config: { ...config },
  tensors: new Map(),
  baseModel: null,
});

/** PEFT 0.21's types that no method here reads. */
const OTHERS =
  'ADAMSS ADAPTION_PROMPT BEFT BOFT C3A CARTRIDGE CPT DEFT DELORA FOURIERFT FROD GLORA GRALORA HIRA HRA LILY LN_TUNING LOHA LOKR MISS MULTITASK_PROMPT_TUNING OFT PREFIX_TUNING PROMPT_TUNING OSF PEANUT POLY PSOFT PVERA P_TUNING RANDLORA ROAD SHADOW SHIRA SUPERTUNING TINYLORA TRAINABLE_TOKENS UNILORA VBLORA VERA WAVEFT XLORA'.split(
    ' ',
  );

describe('the registry of methods', () => {
  it('has a unique name for each kind of adapter', () => {
    const names = adapterKinds().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    // AdapterHub's settings, which bottleneck adapters use, have no peft_type.
    for (const kind of adapterKinds().filter(({ name }) => name !== 'BOTTLENECK'))
      expect(findKind(stored({ peft_type: kind.name }), 'x')).toBe(kind);
  });

  it.each<[config: object, got: string]>([
    ...OTHERS.map((peft_type): [object, string] => [{ peft_type }, `"${peft_type}"`]),
    [{ peft_type: null }, 'null'],
    [{}, 'nothing'],
  ])('rejects an adapter of %j, listing the known kinds', (config, got) => {
    expect(() => findKind(stored(config), 'a/adapter_config.json')).toThrow(
      `a/adapter_config.json: peft_type must be one of ADALORA, LORA, IA3, BITFIT, BOTTLENECK, got ${got}.`,
    );
  });
});

it.each([
  ['adalora', {}, 'AdaLoRA'],
  ['adalora', { orth_reg_weight: 0 }, 'AdaLoRA (γ = 0)'],
  ['prune_lora', { score: 'sensitivity' }, 'prune-LoRA (s = I)'],
  ['svd_lora', { orth_reg_weight: 0 }, 'SVD-LoRA (γ = 0)'],
  ['adalora', { use_dora: true }, 'AdaLoRA (trained magnitude)'],
  ['svd_lora', { init: 'orthonormal', scale: 'rslora' }, 'SVD-LoRA (orthonormal start, alpha / √r)'],
  ['prune_lora', { score: 'signal-to-noise', scale: 'rslora' }, 'prune-LoRA (s = Ī / Ū, alpha / √r)'],
  ['adalora', { score: 'magnitude' }, 'AdaLoRA (s = |λ|)'],
  ['adalora', { path_points: 20 }, 'AdaLoRA (path of 20 points)'],
  ['igulora', { path_points: 1 }, 'IGU-LoRA (without the path)'],
  ['lora', {}, 'LoRA'],
  ['lora', { orth_reg_weight: 0.1 }, 'LoRA + R'],
  ['lora', { orth_reg_weight: 0.1, orthogonality: 'sum-squared' }, 'LoRA + R (R of equation 4)'],
] as const)('%s with %j has the name %s', (method: MethodName, settings, title) => {
  expect(formatTitle(methodNamed(method).words, settings)).toBe(title);
});
