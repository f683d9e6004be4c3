import { scaleVariant, termVariant } from '../low-rank/variants.ts';

/** Describes the settings of triplets that differ from the usual ones. */
export function tripletVariants(settings: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(settings.orth_reg_weight === 0 ? ['γ = 0'] : termVariant(settings)),
    ...(settings.init === 'orthonormal' ? ['orthonormal start'] : []),
    ...scaleVariant(settings),
  ];
}
