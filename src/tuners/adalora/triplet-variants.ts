import { scaleVariant } from '../low-rank/variants.ts';

/** What is unusual about triplets, allocated or not. */
export function tripletVariants(settings: Readonly<Record<string, unknown>>): string[] {
  return [...(settings.init === 'orthonormal' ? ['orthonormal start'] : []), ...scaleVariant(settings)];
}
