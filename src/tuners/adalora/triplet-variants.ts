import { scaleVariant, termVariant } from '../low-rank/variants.ts';

/** What is unusual about triplets, allocated or not. */
export function tripletVariants(settings: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(settings.orth_reg_weight === 0 ? ['γ = 0'] : termVariant(settings)),
    ...(settings.init === 'orthonormal' ? ['orthonormal start'] : []),
    ...scaleVariant(settings),
  ];
}
